"""Waiting for what other processes do: look again until it is so, or say what never came."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

PAUSE_S = 0.05

Found = TypeVar("Found")


async def eventually(look: Callable[[], Awaitable[Found | None]], what: str, within_s: float = 20.0) -> Found:
    """The first true answer of `look`."""
    deadline = monotonic() + within_s
    while True:
        found = await look()
        if found:
            return found
        if monotonic() > deadline:
            raise AssertionError(f"Not within {within_s:.0f} s: {what}")
        await asyncio.sleep(PAUSE_S)
