"""Raw bodies: read as they are, under a size cap and a deadline, before anything is parsed."""

import asyncio

from starlette.requests import Request

from api.problems import BodyNotReceived, BodyTooLarge

LIMIT_BYTES = 1_000_000
DEADLINE_S = 10.0
# A sender hears "too large" only if it may finish speaking; beyond this it is cut off.
PATIENCE_BYTES = 16_000_000


async def raw_body(request: Request) -> bytes:
    """The exact bytes. Raises `BodyTooLarge` above a megabyte and `BodyNotReceived` after the deadline."""
    _refuse_announced(request)
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await _collect(request)
    except TimeoutError:
        raise BodyNotReceived from None


def _refuse_announced(request: Request) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > PATIENCE_BYTES:
        raise BodyTooLarge(LIMIT_BYTES)


async def _collect(request: Request) -> bytes:
    kept = bytearray()
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > PATIENCE_BYTES:
            break
        if received <= LIMIT_BYTES:
            kept += chunk
    if received > LIMIT_BYTES:
        raise BodyTooLarge(LIMIT_BYTES)
    return bytes(kept)
