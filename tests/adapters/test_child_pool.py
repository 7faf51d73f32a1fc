"""The pool: whatever happens to a child, the parent lives, knows it and gets a new child."""

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import AsyncIterator

import psutil
import pytest

from adapters.child_pool import ChildPool, NoChildFree
from adapters.child_pool_worker import ALARM_MARGIN_S
from adapters.child_process import CallFailed
from domain.errors import ChildDied, ChildOverran

LIGHT = "tests.adapters.light_child"
STILLBORN = "tests.adapters.stillborn_child"


@pytest.fixture
async def pool() -> AsyncIterator[ChildPool]:
    async with ChildPool(2, module=LIGHT) as running:
        await running.ready()
        yield running


async def _echo(pool: ChildPool, value: object, deadline_s: float = 20.0) -> object:
    return await pool.call("echo", value, deadline_s=deadline_s)


async def test_call_answers_with_what_the_function_returned(pool: ChildPool) -> None:
    value = {"text": "Grüße 🎉 \u0000", "numbers": [1, 2.5, None]}

    assert await _echo(pool, value) == value


async def test_long_value_passes_both_ways(pool: ChildPool) -> None:
    text = "ä" * 1_000_000

    assert await _echo(pool, text) == text


async def test_more_calls_than_children_are_all_answered(pool: ChildPool) -> None:
    answers = await asyncio.gather(*(_echo(pool, number) for number in range(20)))

    assert answers == list(range(20))


async def test_killed_child_is_an_exception_and_is_replaced(pool: ChildPool) -> None:
    before = pool.process_ids

    with pytest.raises(ChildDied):
        await pool.call("die", None, deadline_s=20.0)

    assert await asyncio.gather(*(_echo(pool, n) for n in range(6))) == list(range(6))
    await _until_two_live(pool)
    assert len(pool.process_ids - before) == 1


async def test_hung_child_is_killed_at_the_deadline_and_replaced(pool: ChildPool) -> None:
    before = pool.process_ids

    with pytest.raises(ChildOverran):
        await pool.call("hang", None, deadline_s=0.2)

    await _until_two_live(pool)
    assert len(before & pool.process_ids) == 1
    assert not any(psutil.pid_exists(dead) for dead in before - pool.process_ids)


async def test_raising_function_keeps_its_child_and_its_message(pool: ChildPool) -> None:
    before = pool.process_ids

    with pytest.raises(CallFailed) as failed:
        await pool.call("raise", "jane@example.com", deadline_s=20.0)

    assert pool.process_ids == before
    assert failed.value.kind == "LookupError"
    assert "jane" not in str(failed.value)


async def test_child_that_died_while_idle_costs_no_text_its_answer(pool: ChildPool) -> None:
    victim = next(iter(pool.process_ids))
    os.kill(victim, signal.SIGKILL)
    while victim in pool.process_ids:  # noqa: ASYNC110 - a dying process sets no event
        await asyncio.sleep(0)

    answers = await asyncio.gather(*(_echo(pool, number) for number in range(4)))

    assert answers == list(range(4))


async def test_cancelled_call_does_not_leave_its_answer_to_the_next(pool: ChildPool) -> None:
    hanging = asyncio.ensure_future(pool.call("hang", None, deadline_s=60.0))
    await asyncio.sleep(0)
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)

    assert await asyncio.gather(*(_echo(pool, number) for number in range(4))) == list(range(4))


async def test_printing_child_does_not_break_the_protocol(pool: ChildPool) -> None:
    assert await pool.call("chatter", "hello", deadline_s=20.0) == "hello"
    assert await _echo(pool, "after") == "after"


async def test_child_ignores_interrupt(pool: ChildPool) -> None:
    assert await pool.call("interrupt", None, deadline_s=20.0) == "still here"


async def test_child_sees_no_secret_of_its_parent(pool: ChildPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_MASTER_KEY", "very secret")
    with pytest.raises(ChildDied):
        await pool.call("die", None, deadline_s=20.0)
    await _until_two_live(pool)

    seen = await asyncio.gather(*(pool.call("environment", None, deadline_s=20.0) for _ in range(4)))

    assert not any("COUNTERSIGN" in name for environment in seen for name in environment)


async def test_unknown_function_is_a_failed_call(pool: ChildPool) -> None:
    with pytest.raises(CallFailed):
        await pool.call("nothing", None, deadline_s=20.0)


async def test_closed_pool_leaves_no_process() -> None:
    async with ChildPool(2, module=LIGHT) as pool:
        await pool.ready()
        children = pool.process_ids

    assert len(children) == 2
    assert not any(psutil.pid_exists(child) for child in children)


async def test_pool_closed_while_it_starts_leaves_no_process() -> None:
    before = {child.pid for child in psutil.Process().children()}

    async with ChildPool(2, module=LIGHT):
        await asyncio.sleep(0)

    assert {child.pid for child in psutil.Process().children()} <= before


async def test_pool_whose_children_cannot_start_says_so() -> None:
    async with ChildPool(2, module=STILLBORN) as pool:
        with pytest.raises(ChildDied):
            await pool.ready()


async def test_call_without_a_free_child_can_be_repeated_later() -> None:
    async with ChildPool(2, module=STILLBORN, wait_s=0.05) as pool:
        with pytest.raises(NoChildFree):
            await _echo(pool, 1)


def test_pool_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="two children"):
        ChildPool(1)


def test_child_ends_with_its_input() -> None:
    command = [sys.executable, "-m", "adapters.child_pool_worker", LIGHT]
    body = json.dumps({"function": "echo", "argument": 7, "deadline_s": 5}).encode()

    done = subprocess.run(  # noqa: S603 - our own module
        command, input=struct.pack(">I", len(body)) + body, capture_output=True, timeout=60, check=True
    )

    assert done.stdout.endswith(b'{"value": 7}')
    assert b"warming" not in done.stdout


async def _until_two_live(pool: ChildPool) -> None:
    async with asyncio.timeout(30):
        while pool.free < 2:  # noqa: ASYNC110 - the pool tells nobody that it is whole again
            await asyncio.sleep(0.01)


def test_hung_child_whose_parent_is_gone_ends_itself() -> None:
    command = [sys.executable, "-m", "adapters.child_pool_worker", LIGHT]
    body = json.dumps({"function": "hang", "argument": None, "deadline_s": 0.1 - ALARM_MARGIN_S}).encode()

    done = subprocess.run(  # noqa: S603 - our own module
        command, input=struct.pack(">I", len(body)) + body, capture_output=True, timeout=60, check=False
    )

    assert done.returncode == -signal.SIGALRM
