"""A server or the door dies while tickets arrive: what was acknowledged ends, what was not is sent again."""

import pytest

from tests.crash.day import Day, begin, webhooks
from tests.crash.errands import PERSON, RETURN, SMALL, TEN
from tests.crash.killing import kill_and_keep_down
from tests.end_to_end.polling import eventually
from tests.end_to_end.system import Json, System
from workflows.ids import ticket_workflow_id

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]
WITHIN_S = 60.0


async def test_webhooks_are_acknowledged_without_temporal_and_run_when_it_is_back(system: System) -> None:
    await kill_and_keep_down(system.stack.supervisor, "temporal")
    day = await begin(system, [RETURN, SMALL, RETURN, PERSON] * 5)

    async def all_announced() -> list[Json]:
        hooks = await webhooks(system, day.tasks)
        return (
            [] if any(hook["state"] == "pending" and not hook["attempts"] for hook in hooks) else list(hooks)
        )

    hooks = await eventually(all_announced, "an answer to every webhook", WITHIN_S)
    await system.stack.supervisor.resume("temporal")
    await day.end()

    assert [(hook["last_status"], hook["attempts"]) for hook in hooks] == [(202, 1)] * 20


async def test_what_a_dead_door_did_not_acknowledge_is_sent_again_and_is_one_ticket(system: System) -> None:
    await kill_and_keep_down(system.stack.supervisor, "api")
    day = await begin(system, TEN)

    async def all_failed_once() -> bool:
        return all(hook["attempts"] for hook in await webhooks(system, day.tasks))

    await eventually(all_failed_once, "an attempt for every webhook", WITHIN_S)
    assert not [hook for hook in await webhooks(system, day.tasks) if hook["state"] == "delivered"]
    await system.stack.supervisor.resume("api")
    await day.end()

    assert await _runs_that_did_something(day) == {task.sent.name: 1 for task in day.tasks}


async def test_door_that_dies_while_webhooks_come_in_loses_and_doubles_nothing(system: System) -> None:
    day = await begin(system, TEN * 2)

    await system.stack.supervisor.kill("api")
    await day.end()

    assert await _runs_that_did_something(day) == {task.sent.name: 1 for task in day.tasks}


async def test_postgres_that_dies_in_mid_run_loses_and_doubles_nothing(system: System) -> None:
    day = await begin(system, TEN * 2)
    await day.go_on(until_at_rest=4)
    killed = system.stack.supervisor.service("postgres").pid

    await system.stack.supervisor.kill("postgres")
    await day.end()

    assert system.stack.supervisor.service("postgres").pid != killed


async def test_temporal_that_dies_in_mid_run_loses_and_doubles_nothing(system: System) -> None:
    day = await begin(system, TEN * 2)
    await day.go_on(until_at_rest=4)
    killed = system.stack.supervisor.service("temporal").pid

    await system.stack.supervisor.kill("temporal")
    await day.end()

    assert system.stack.supervisor.service("temporal").pid != killed


async def _runs_that_did_something(day: Day) -> dict[str, int]:
    """Turns of each ticket: a run that our own echo began has none."""
    client = await day.system.connected.temporal()
    for task in day.tasks:
        runs = client.list_workflows(f"WorkflowId = '{ticket_workflow_id(task.sent.ticket)}'")
        assert [run async for run in runs], task.sent.name
    lines = {task.sent.name: await day.system.line(task.sent) for task in day.tasks}
    return {name: line.turns for name, line in lines.items() if line}
