"""Tells Temporal that a step is alive, so that a dead worker is noticed within two seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio import activity

EVERY_S = 0.4


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Beats while the block runs; outside a Temporal activity there is nobody to tell."""
    if not activity.in_activity():
        yield
        return
    beating = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(EVERY_S)
