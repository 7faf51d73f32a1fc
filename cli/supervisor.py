"""Keeps services running: a dead one is started again, later each time, with a line that says so."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

WATCH_S = 0.2
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 10.0
STABLE_AFTER_S = 10.0


class Service(Protocol):
    """Anything with a process: an embedded server or a child of ours. Calls may block."""

    name: str

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        ...

    @property
    def last_words(self) -> str:
        """What it said last."""
        ...

    def start(self) -> None:
        """Starts it; raises where it cannot."""
        ...

    def is_running(self) -> bool:
        """Whether its process lives."""
        ...

    def stop(self) -> None:
        """Ends it in good order; safe to repeat."""
        ...

    def kill(self) -> None:
        """Ends it as a crash would."""
        ...


class UnknownService(Exception):
    """Nobody of that name is supervised."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no service {name!r}. There are {', '.join(known)}")


@dataclass
class _Watched:
    service: Service
    paused: bool = False
    started_at: float = 0.0
    delay_s: float = FIRST_DELAY_S
    not_before: float = 0.0


class Supervisor:
    """Starts in the order given, stops in the reverse one."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._watched: dict[str, _Watched] = {}
        self._turn = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None

    @property
    def names(self) -> list[str]:
        """In the order of starting."""
        return list(self._watched)

    def service(self, name: str) -> Service:
        """Raises `UnknownService`."""
        return self._find(name).service

    async def start(self, service: Service) -> None:
        """Starts one more and looks after it from now on."""
        async with self._turn:
            starting = asyncio.create_task(asyncio.to_thread(service.start))
            try:
                await asyncio.shield(starting)
            finally:
                # A caller who is cancelled must not leave a process behind that nobody stops.
                await asyncio.wait([starting])
                if starting.exception() is None:
                    self._watched[service.name] = _Watched(service, started_at=time.monotonic())
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep_running())

    async def kill(self, name: str) -> None:
        """For trials: the next look starts it again."""
        await asyncio.to_thread(self._find(name).service.kill)

    async def pause(self, name: str) -> None:
        """Stops one and leaves it stopped."""
        watched = self._find(name)
        async with self._turn:
            watched.paused = True
            await asyncio.to_thread(watched.service.stop)

    async def resume(self, name: str) -> None:
        """Starts a paused one."""
        watched = self._find(name)
        async with self._turn:
            await asyncio.to_thread(watched.service.start)
            watched.paused = False
            watched.started_at = time.monotonic()

    async def restart(self, name: str) -> None:
        """Stops in good order and starts again, as after a change of code."""
        await self.pause(name)
        await self.resume(name)

    async def stop(self) -> None:
        """Stops all; safe to repeat."""
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        async with self._turn:
            for name in reversed(self.names):
                await asyncio.to_thread(self._watched.pop(name).service.stop)

    def _find(self, name: str) -> _Watched:
        if name not in self._watched:
            raise UnknownService(name, self.names)
        return self._watched[name]

    async def _keep_running(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            async with self._turn:
                for watched in self._watched.values():
                    await self._look_at(watched)

    async def _look_at(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.paused or watched.service.is_running():
            if now - watched.started_at > STABLE_AFTER_S:
                watched.delay_s = FIRST_DELAY_S
            return
        if watched.not_before == 0.0:
            self._announce(watched)
            watched.not_before = now + watched.delay_s
        if now >= watched.not_before:
            await self._start_again(watched)

    def _announce(self, watched: _Watched) -> None:
        said = f" It said last: {watched.service.last_words}" if watched.service.last_words else ""
        self._tell(f"{watched.service.name} ended; starting it again in {watched.delay_s:.1f} s.{said}")

    async def _start_again(self, watched: _Watched) -> None:
        watched.not_before = 0.0
        watched.delay_s = min(watched.delay_s * 2, LONGEST_DELAY_S)
        watched.started_at = time.monotonic()
        try:
            await asyncio.to_thread(watched.service.start)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look tries again and says so
            self._tell(f"{watched.service.name} could not be started: {error}")
        else:
            self._tell(f"{watched.service.name} was started again")
