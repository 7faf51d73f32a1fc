"""Restarts our processes when their code changes: for `make dev`."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from cli.supervisor import Supervisor

ROOT = Path(__file__).parents[1]
WATCHED = ("domain", "activities", "workflows", "adapters", "api", "worker", "emulators", "policies")
SERVERS = ("postgres", "temporal")


async def restart_on_change(
    supervisor: Supervisor, tell: Callable[[str], None], stopped: asyncio.Event
) -> None:
    """Until `stopped` is set."""
    from watchfiles import awatch  # noqa: PLC0415 - a development tool, absent from a production image

    folders = [ROOT / name for name in WATCHED if (ROOT / name).exists()]
    async for changes in awatch(*folders, stop_event=stopped, raise_interrupt=False):
        tell(f"{len(changes)} files changed; restarting")
        for name in supervisor.names:
            if name not in SERVERS:
                await supervisor.restart(name)
