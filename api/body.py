"""Raw bodies: read as they are, under a size cap and a deadline, before anything is parsed."""

import asyncio

from starlette.requests import Request

from api.problems import BodyNotReceived, BodyTooLarge

LIMIT_BYTES = 1_000_000
DEADLINE_S = 10.0
# A sender hears "too large" only if it may finish speaking; beyond this it is cut off.
PATIENCE_BYTES = 16_000_000


async def raw_body(request: Request, limit: int = LIMIT_BYTES) -> bytes:
    """The exact bytes. Raises `BodyTooLarge` above the limit and `BodyNotReceived` after the deadline."""
    _refuse_announced(request, limit)
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await _collect(request, limit)
    except TimeoutError:
        raise BodyNotReceived from None


def _refuse_announced(request: Request, limit: int) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > PATIENCE_BYTES:
        raise BodyTooLarge(limit)


async def _collect(request: Request, limit: int) -> bytes:
    kept = bytearray()
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > PATIENCE_BYTES:
            break
        if received <= limit:
            kept += chunk
    if received > limit:
        raise BodyTooLarge(limit)
    return bytes(kept)
