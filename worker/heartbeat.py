"""Shows a container's health check that the worker's loop still turns: a file whose time is renewed.

`python -m worker.heartbeat` is that health check. A worker has no port that could be asked.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.settings import Settings

EVERY_S = 5.0
STALE_AFTER_S = 30.0


@asynccontextmanager
async def heartbeat(file: Path | None) -> AsyncIterator[None]:
    """Beats until the end of the block, and leaves no file that could be taken for life."""
    if file is None:
        yield
        return
    file.touch()  # noqa: ASYNC240 - one local file, over at once
    beating = asyncio.create_task(_beat(file))
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        file.unlink(missing_ok=True)  # noqa: ASYNC240 - the same


def is_alive(file: Path, now: float) -> bool:
    """Whether it beat lately; `now` in seconds of the wall clock, as file times are."""
    try:
        return now - file.stat().st_mtime < STALE_AFTER_S
    except OSError:
        return False


async def _beat(file: Path) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        file.touch()  # noqa: ASYNC240 - the same


def main() -> None:
    """Exit code 0 where the worker of this container is alive."""
    file = Settings().heartbeat_file
    sys.exit(0 if file is not None and is_alive(file, time.time()) else 1)


if __name__ == "__main__":
    main()
