"""Children that do next to nothing, and waiting for what they do."""

import asyncio
import time
from collections.abc import Callable

from adapters.embedded.home import Home
from adapters.settings import program_variables
from cli.children import ChildProcess

WAITS = "import signal; signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
)
DIES = "print('I cannot go on', flush=True); raise SystemExit(1)"
WITHIN_S = 20.0


def tiny(home: Home, code: str = WAITS, name: str = "tiny", **environment: str) -> ChildProcess:
    return ChildProcess(name, ["-c", code], program_variables() | environment, home, grace_s=0.3)


async def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.01)
