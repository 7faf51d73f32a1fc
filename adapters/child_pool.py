"""Runs native or unbounded work over foreign text in child processes under a deadline.

A child that overruns is killed, one that dies is noticed, both are replaced in the background, and the
caller gets an exception in a living process. A text that kills its child is therefore tried once.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self

import structlog

from adapters.child_process import CallFailed, ChildProcess, spawn
from domain.errors import ChildDied, ChildOverran

DEFAULT_MODULE = "adapters.child_functions"
LONGEST_RETRY_S = 10.0

log = structlog.get_logger()


class NoChildFree(Exception):
    """Every child was busy or being replaced for too long; trying again later can help."""

    def __init__(self) -> None:
        super().__init__("No child process was free")


class ChildPool:
    """At least two child processes that take one call at a time each.

    Everything of one pool happens on one event loop. Children get an empty environment but for the import
    path, so no secret of the parent can reach them.
    """

    def __init__(
        self,
        size: int = 2,
        *,
        module: str = DEFAULT_MODULE,
        start_deadline_s: float = 60.0,
        wait_s: float = 30.0,
    ) -> None:
        if size < 2:
            raise ValueError("A pool needs two children: one is replaced while the other works")
        self._size = size
        self._module = module
        self._start_deadline_s = start_deadline_s
        self._wait_s = wait_s
        self._free: asyncio.Queue[ChildProcess] = asyncio.Queue()
        self._children: set[ChildProcess] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._first: list[asyncio.Task[None]] = []
        self._closing = False

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Starts all children at once, in the background."""
        self._first = [self._in_background(self._add_child()) for _ in range(self._size)]

    async def ready(self) -> None:
        """Returns when all first children are warm. Raises `ChildDied` or `ChildOverran` if one is not."""
        await asyncio.gather(*(asyncio.shield(task) for task in self._first))

    async def call(self, function: str, argument: Any, *, deadline_s: float) -> Any:
        """The function's answer. `argument` and answer are JSON values.

        Raises `ChildDied`, `ChildOverran`, `CallFailed` or `NoChildFree`.
        """
        child = await self._take()
        try:
            answer = await child.ask(function, argument, deadline_s)
        except BaseException:  # a time-out or a cancellation too: nobody knows what the child does now
            self._replace(child)
            raise
        self._free.put_nowait(child)
        if "raised" in answer:
            log.warning("child_call_failed", function=function, kind=answer["raised"])
            raise CallFailed(answer["raised"])
        return answer["value"]

    @property
    def process_ids(self) -> frozenset[int]:
        """The children that live now."""
        return frozenset(child.process_id for child in self._children if child.lives)

    @property
    def free(self) -> int:
        """How many children wait for work."""
        return self._free.qsize()

    async def close(self) -> None:
        """Ends every child and waits for it."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(child.end() for child in self._children))
        self._children.clear()

    async def _take(self) -> ChildProcess:
        try:
            async with asyncio.timeout(self._wait_s):
                while not (child := await self._free.get()).lives:
                    self._replace(child)  # it died while idle: no text is to blame
        except TimeoutError:
            raise NoChildFree from None
        return child

    def _replace(self, child: ChildProcess) -> None:
        child.kill()
        self._in_background(self._renew(child))

    async def _renew(self, child: ChildProcess) -> None:
        await child.end()
        self._children.discard(child)
        log.warning("child_replaced", module=self._module)
        delay = 0.2
        while True:
            try:
                return await self._add_child()
            except (ChildDied, ChildOverran):
                log.exception("child_not_started", module=self._module)
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_RETRY_S)

    async def _add_child(self) -> None:
        child = ChildProcess(await spawn(self._module))
        self._children.add(child)
        try:
            await child.become_ready(self._start_deadline_s)
        except BaseException:
            child.kill()
            await child.end()
            self._children.discard(child)
            raise
        self._free.put_nowait(child)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[None]) -> None:
        if task not in self._first:
            self._tasks.discard(task)
        elif not task.cancelled() and task.exception() is not None:
            log.error("child_not_started", module=self._module)
