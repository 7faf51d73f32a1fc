"""Repeats a piece of work: at once when kicked, else every few seconds, backing off while it fails."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger("worker.rounds")

SWEEP_S = 2.0
FIRST_BACK_OFF_S = 0.25
LONGEST_BACK_OFF_S = 5.0


class Rounds:
    """Runs rounds of `work` until stopped. A round says whether another should follow at once.

    A failing round never ends the loop: rows wait in the inbox, and the next round finds them.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[bool]], sweep_s: float = SWEEP_S) -> None:
        self._name = name
        self._work = work
        self._sweep_s = sweep_s
        self._kicked = asyncio.Event()
        self._stopping = asyncio.Event()
        self._failures = 0

    def kick(self) -> None:
        """There may be something to do now."""
        self._kicked.set()

    def stop(self) -> None:
        """The round under way is finished, no other begins."""
        self._stopping.set()
        self._kicked.set()

    async def run(self) -> None:
        """Ends after `stop`."""
        while not self._stopping.is_set():
            # Cleared before the look: a kick during the round starts another one.
            self._kicked.clear()
            if self._stopping.is_set():
                return
            more = await self._round()
            if self._failures:
                await self._pause()
            elif not more:
                await _within(self._kicked, self._sweep_s)

    async def _round(self) -> bool:
        try:
            more = await self._work()
        except Exception as error:  # noqa: BLE001 - whatever it was, the rows are still there
            self._failures += 1
            log.warning("round_failed", rounds=self._name, error=type(error).__name__, times=self._failures)
            return False
        self._failures = 0
        return more

    async def _pause(self) -> None:
        # A kick does not shorten this: while something is down, every new row would be one more knock.
        pause_s = min(FIRST_BACK_OFF_S * 2 ** (self._failures - 1), LONGEST_BACK_OFF_S)
        await _within(self._stopping, pause_s)


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
