"""One child process that calls functions for us, and the pipes to it; its side is in `child_pool_worker`."""

import asyncio
import json
import struct
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from domain.errors import ChildDied, ChildOverran

MAX_FRAME_BYTES = 32 * 1024 * 1024
START_DEADLINE_S = 60.0

_HEADER = struct.Struct(">I")
_ROOT = Path(__file__).resolve().parents[1]


class CallFailed(Exception):
    """The function raised in the child; only the name of the class left the child, never its message."""

    def __init__(self, kind: str) -> None:
        super().__init__("A call failed in a child process")
        self.kind = kind


async def call_once(module: str, function: str, argument: Any, *, deadline_s: float) -> Any:
    """The answer of a child that is made for this call and ends with it; JSON values as in a pool.

    Raises `ChildDied`, `ChildOverran` or `CallFailed`.
    """
    child = ChildProcess(await spawn(module))
    try:
        await child.become_ready(START_DEADLINE_S)
        answer = await child.ask(function, argument, deadline_s)
    finally:
        child.kill()
        await child.end()
    if "raised" in answer:
        raise CallFailed(answer["raised"])
    return answer["value"]


class ChildProcess:
    """One process and its pipes; whoever asks it ends it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.process_id = process.pid

    @property
    def lives(self) -> bool:
        """Whether it still runs."""
        return self._process.returncode is None

    async def become_ready(self, deadline_s: float) -> None:
        """Returns when it has loaded its module. Raises `ChildDied` or `ChildOverran`."""
        await self._within(deadline_s, self._read())

    async def ask(self, function: str, argument: Any, deadline_s: float) -> Any:
        """`{"value": …}`, or `{"raised": class}`. Raises `ChildDied` or `ChildOverran`."""
        call = {"function": function, "argument": argument, "deadline_s": deadline_s}
        return await self._within(deadline_s, self._exchange(json.dumps(call).encode()))

    async def _within(self, deadline_s: float, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            async with asyncio.timeout(deadline_s):
                return await work
        except TimeoutError:
            raise ChildOverran from None
        except (OSError, EOFError, ValueError):  # a broken pipe, the end of one, or nonsense on it
            raise ChildDied from None

    async def _exchange(self, body: bytes) -> Any:
        if self._process.stdin is None:
            raise EOFError
        self._process.stdin.write(_HEADER.pack(len(body)) + body)
        await self._process.stdin.drain()
        return await self._read()

    async def _read(self) -> Any:
        if self._process.stdout is None:
            raise EOFError
        (length,) = _HEADER.unpack(await self._process.stdout.readexactly(_HEADER.size))
        if length > MAX_FRAME_BYTES:
            raise EOFError
        return json.loads(await self._process.stdout.readexactly(length))

    def kill(self) -> None:
        """At once; repeating is safe."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """Closes the child's input, which ends it; kills it if that is not enough; leaves no zombie."""
        if self._process.stdin is not None:
            # Never `wait_closed`: cancelling it cancels the pipe's own future and breaks asyncio's callback.
            self._process.stdin.close()
        try:
            async with asyncio.timeout(2.0):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()


async def spawn(module: str) -> Process:
    """A child that offers the functions of `module`; it has none of our environment."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "adapters.child_pool_worker",
        module,
        stdin=PIPE,
        stdout=PIPE,
        cwd=_ROOT,
        env=_clean_environment(),
        process_group=0,  # Ctrl-C in a terminal is for the parent
    )


def _clean_environment() -> dict[str, str]:
    return {
        "PYTHONPATH": str(_ROOT),
        "PYTHONUTF8": "1",
        "HOME": tempfile.gettempdir(),
        # Children are the parallelism; threads inside one only fight for the same cores.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
