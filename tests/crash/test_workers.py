"""A worker dies in mid-run: every ticket ends, and nothing is done twice."""

from collections.abc import AsyncIterator

import pytest

from tests.crash.day import begin
from tests.crash.errands import TEN
from tests.crash.killing import family, gone, kill_and_keep_down
from tests.end_to_end.system import System

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


@pytest.fixture
async def survivor(system: System) -> AsyncIterator[str]:
    """The second worker; the first one is back at the end."""
    yield "worker-2"
    await system.stack.supervisor.resume("worker-1")


@pytest.fixture
async def lone_worker(system: System) -> AsyncIterator[str]:
    """The first worker, while the second one is off."""
    await system.stack.supervisor.pause("worker-2")
    yield "worker-1"
    await system.stack.supervisor.resume("worker-2")


async def test_the_other_worker_ends_everything_of_a_killed_one(system: System, survivor: str) -> None:
    supervisor = system.stack.supervisor
    killed, other = family(supervisor.service("worker-1").pid or 0), supervisor.service(survivor).pid
    day = await begin(system, TEN * 4)
    await day.go_on(until_at_rest=8)

    await kill_and_keep_down(supervisor, "worker-1")
    await day.end()

    await gone(killed, "the killed worker and its children")
    assert len(killed) > 1
    assert supervisor.service(survivor).pid == other


async def test_the_only_worker_goes_on_after_its_restart(system: System, lone_worker: str) -> None:
    supervisor = system.stack.supervisor
    killed = supervisor.service(lone_worker).pid
    day = await begin(system, TEN * 2)
    await day.go_on(until_at_rest=4)

    await supervisor.kill(lone_worker)
    await day.end()

    assert supervisor.service(lone_worker).pid != killed
