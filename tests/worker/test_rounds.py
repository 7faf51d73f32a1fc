"""Rounds follow each other at once, by a kick or by the clock, and outlive every failure."""

import asyncio

from worker.rounds import Rounds

NEVER_S = 3600.0
MORE = "more"
IDLE = "idle"


class Work:
    """Answers rounds from a list (`more`, `idle` or a failure), then says that nothing more waits."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.rounds = 0
        self.idle = asyncio.Event()

    async def round(self) -> bool:
        self.rounds += 1
        answer = self.answers.pop(0) if self.answers else IDLE
        if isinstance(answer, Exception):
            raise answer
        if answer == IDLE:
            self.idle.set()
        return answer == MORE


async def test_round_follows_at_once_while_more_waits() -> None:
    work = Work(MORE, MORE, IDLE)
    rounds = Rounds("test", work.round, sweep_s=NEVER_S)

    running = asyncio.create_task(rounds.run())
    await work.idle.wait()
    rounds.stop()
    await running

    assert work.rounds == 3


async def test_kick_starts_a_round() -> None:
    work = Work()
    rounds = Rounds("test", work.round, sweep_s=NEVER_S)
    running = asyncio.create_task(rounds.run())
    await work.idle.wait()
    work.idle.clear()

    rounds.kick()

    await work.idle.wait()
    rounds.stop()
    await running
    assert work.rounds == 2


async def test_kick_during_a_round_is_not_lost() -> None:
    rounds: Rounds
    seen: list[int] = []
    done = asyncio.Event()

    async def kicked_in_the_middle() -> bool:
        seen.append(len(seen))
        if len(seen) == 1:
            rounds.kick()
        else:
            done.set()
        return False

    rounds = Rounds("test", kicked_in_the_middle, sweep_s=NEVER_S)
    running = asyncio.create_task(rounds.run())

    await done.wait()
    rounds.stop()
    await running
    assert len(seen) == 2


async def test_sweep_looks_without_a_kick() -> None:
    work = Work()
    rounds = Rounds("test", work.round, sweep_s=0.001)
    running = asyncio.create_task(rounds.run())
    await work.idle.wait()
    work.idle.clear()

    await work.idle.wait()

    rounds.stop()
    await running
    assert work.rounds >= 2


async def test_failing_round_is_followed_by_another() -> None:
    work = Work(RuntimeError("away"), IDLE)
    rounds = Rounds("test", work.round, sweep_s=NEVER_S)

    running = asyncio.create_task(rounds.run())
    await work.idle.wait()
    rounds.stop()
    await running

    assert work.rounds == 2


async def test_stop_ends_a_back_off() -> None:
    failed = asyncio.Event()

    async def fails() -> bool:
        failed.set()
        raise RuntimeError("away")

    rounds = Rounds("test", fails, sweep_s=NEVER_S)
    running = asyncio.create_task(rounds.run())
    await failed.wait()

    rounds.stop()

    async with asyncio.timeout(5):
        await running
