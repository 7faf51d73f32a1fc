"""Ends processes as a crash would, and says what is left of them."""

import asyncio
from collections.abc import Iterable, Sequence

import psutil

from cli.supervisor import Supervisor
from tests.end_to_end.polling import eventually


async def kill_and_keep_down(supervisor: Supervisor, name: str) -> None:
    """As by `kill -9`, with a supervisor that has not come to it yet; `resume` starts it again."""
    async with supervisor._turn:
        supervisor._find(name).paused = True
        service = supervisor.service(name)
        await asyncio.to_thread(service.kill)

        async def ended() -> bool:
            return not service.is_running()  # asking takes it off the process table, as the supervisor does

        await eventually(ended, f"the end of {name}")


def family(pid: int) -> Sequence[psutil.Process]:
    """The process and everything below it."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run, by number and time of birth; a zombie does not."""
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


async def gone(processes: Sequence[psutil.Process], what: str) -> None:
    """Waits until none of them lives."""

    async def none_lives() -> bool:
        return not living(processes)

    await eventually(none_lives, f"the end of {what}")
