"""Everything is killed in mid-demo: the same command on the same home passes, and no process is left."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import closing

import psutil
import pytest

from adapters.embedded.home import Home, temporary_home
from adapters.settings import program_variables
from cli.demo_data import TENANTS, acknowledgement_of
from tests.crash.killing import family, gone, living
from tests.end_to_end.polling import eventually

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

UNDER_WAY_WITHIN_S = 120.0
# What waits for people is acknowledged as well, once; and the same is never said twice.
REPLIED_TWICE = """
    SELECT brand, ticket_id FROM ticket_messages
    WHERE author = 'automation' AND public GROUP BY brand, ticket_id, body HAVING count(*) > 1"""
ANSWERED_MORE_THAN_ASKED = """
    SELECT brand, ticket_id FROM ticket_messages WHERE public GROUP BY brand, ticket_id
    HAVING sum(author = 'automation' AND NOT (instr(body, ?) OR instr(body, ?) OR instr(body, ?)))
        > sum(author = 'customer')"""
PAID_TWICE = "SELECT payment_id FROM refunds GROUP BY payment_id HAVING count(*) > 1"
READY = "SELECT 1 FROM sqlite_master WHERE name = 'ticket_messages'"
ANSWERED = "SELECT 1 FROM ticket_messages WHERE author = 'automation'"


class Demos:
    """`countersign demo --once` on one home, and every process seen below it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.seen: list[psutil.Process] = []

    async def start(self) -> asyncio.subprocess.Process:
        """As in a terminal without a person."""
        demo = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cli",
            "demo",
            "--once",
            env=program_variables() | {"COUNTERSIGN_HOME": str(self.home.path), "COLUMNS": "200"},
            cwd=self.home.run,  # no .env there
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self.seen.append(psutil.Process(demo.pid))
        return demo

    async def kill_in_mid_run(self, *, spare_children: bool) -> Sequence[psutil.Process]:
        """Ends a demo with -9, all of it or the supervisor alone; its processes."""
        before = len(self.rows(ANSWERED))
        demo = await self.start()

        async def under_way() -> bool:
            assert demo.returncode is None
            return len(self.rows(ANSWERED)) >= before + 3

        await eventually(under_way, "the first answers", UNDER_WAY_WITHIN_S)
        everything = family(demo.pid)
        self.seen += everything
        for process in everything[:1] if spare_children else everything:
            process.kill()
        await demo.wait()
        return everything

    def rows(self, query: str, *values: str) -> list[object]:
        """From the emulators' own book, once there is one."""
        if not (book := self.home.emulators / "emulators.sqlite3").exists():
            return []
        with closing(sqlite3.connect(f"file:{book}?mode=ro", uri=True)) as connection:
            return list(connection.execute(query, values)) if list(connection.execute(READY)) else []

    async def end(self) -> None:
        """Leaves nothing running, however the test ended."""
        left = [member for process in self.seen for member in family(process.pid) if living([process])]
        for process in living([*left, *self.seen]):
            process.kill()
        await gone([*left, *self.seen], "all demos")


@pytest.fixture
async def demos() -> AsyncIterator[Demos]:
    with temporary_home() as home:
        started = Demos(home)
        yield started
        await started.end()


async def test_demo_passes_on_the_home_of_killed_ones(demos: Demos) -> None:
    everything = await demos.kill_in_mid_run(spare_children=False)
    children = await demos.kill_in_mid_run(spare_children=True)
    assert living(children)

    demo = await demos.start()
    said, _ = await demo.communicate()

    assert demo.returncode == 0, said.decode()
    await gone([*everything, *children], "every process of the killed demos")
    assert demos.rows(REPLIED_TWICE) == []
    assert demos.rows(ANSWERED_MORE_THAN_ASKED, *map(acknowledgement_of, TENANTS)) == []
    assert demos.rows(PAID_TWICE) == []
