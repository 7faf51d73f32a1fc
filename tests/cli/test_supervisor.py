"""The supervisor with children of one line."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from adapters.embedded.home import Home
from cli.children import ChildProcess
from cli.supervisor import Supervisor, UnknownService
from tests.cli.tiny_children import DIES, WAITS, tiny, until


class Told(list[str]):
    """What the person at the terminal reads."""

    def has(self, words: str) -> bool:
        return any(words in line for line in self)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def supervisor(told: Told) -> AsyncIterator[Supervisor]:
    made = Supervisor(told.append)
    yield made
    await made.stop()


async def test_a_dead_child_is_started_again_and_told(home: Home, supervisor: Supervisor, told: Told) -> None:
    child = tiny(home)
    await supervisor.start(child)
    first = child.pid

    await supervisor.kill("tiny")
    await until(lambda: told.has("tiny was started again"))

    assert child.is_running()
    assert child.pid != first


async def test_a_child_that_keeps_dying_is_started_later_each_time(
    home: Home, supervisor: Supervisor, told: Told
) -> None:
    await supervisor.start(tiny(home, DIES))

    await until(lambda: told.has("in 0.4 s"))

    assert told.has("in 0.2 s. It said last: I cannot go on")


async def test_a_paused_child_stays_stopped_until_it_is_resumed(home: Home, supervisor: Supervisor) -> None:
    paused, other = tiny(home, name="paused"), tiny(home, name="other")
    for child in (paused, other):
        await supervisor.start(child)

    await supervisor.pause("paused")
    await supervisor.kill("other")
    await until(other.is_running)
    assert not paused.is_running()

    await supervisor.resume("paused")
    assert paused.is_running()


@dataclass
class Remembered(ChildProcess):
    """A child whose stopping is written down."""

    stopped: list[str] = field(default_factory=list)

    def stop(self) -> None:
        self.stopped.append(self.name)
        super().stop()


async def test_children_are_stopped_in_the_reverse_order(home: Home, supervisor: Supervisor) -> None:
    stopped: list[str] = []
    for name in ("first", "second"):
        await supervisor.start(Remembered(name, ["-c", WAITS], {}, home, stopped=stopped))

    await supervisor.stop()

    assert stopped == ["second", "first"]


async def test_a_child_that_cannot_be_started_is_not_looked_after(home: Home, supervisor: Supervisor) -> None:
    home.logs.rmdir()

    with pytest.raises(FileNotFoundError):
        await supervisor.start(tiny(home))

    assert supervisor.names == []


async def test_an_unknown_name_is_answered_with_the_known_ones(home: Home, supervisor: Supervisor) -> None:
    await supervisor.start(tiny(home))

    with pytest.raises(UnknownService, match="There are tiny"):
        await supervisor.kill("tny")
