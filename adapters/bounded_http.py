"""A request with one deadline for all of it and a bound on its answer, for servers inside our own house."""

import asyncio
from datetime import timedelta
from http import HTTPStatus

import httpx


class AnswerUnusable(Exception):
    """The server refused, sent us elsewhere, or said more than it may. The sentence names a status only."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__("The answer is too large" if status is None else f"The server answered {status}")
        self.status = status


async def bounded(
    client: httpx.AsyncClient, request: httpx.Request, *, within: timedelta, largest: int
) -> bytes:
    """The body of a 200, or nothing for a 204; at most `largest` bytes.

    Raises `AnswerUnusable`, `TimeoutError` or `httpx.HTTPError`. Redirects are refused: what is asked must
    not leave for an address that nobody has configured.
    """
    request.headers["Accept-Encoding"] = "identity"  # a compressed answer could grow without bound
    async with asyncio.timeout(within.total_seconds()):
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            return await _read(response, largest)
        finally:
            await response.aclose()


async def _read(response: httpx.Response, largest: int) -> bytes:
    if response.status_code == HTTPStatus.NO_CONTENT:
        return b""
    if response.status_code != HTTPStatus.OK:
        raise AnswerUnusable(response.status_code)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > largest:
            raise AnswerUnusable
    return bytes(body)
