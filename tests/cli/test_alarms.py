"""Each alarm is raised by its fault and by nothing else."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from adapters.keys import DoorKeys
from adapters.postgres.inbox import Arrival, DoorInbox, InboxKind
from adapters.postgres.operator_counts import NAMED, OperatorCounts
from adapters.postgres.tables import effects
from adapters.settings import Settings
from cli.__main__ import run
from cli.alarms import (
    IN_TABLES,
    WINDOWS,
    Alarm,
    Raised,
    unarchived_runs,
    unsealed_audit,
    unusable_policies,
)
from cli.doctor import examine
from cli.processes import Stack
from domain.decision import Verdict
from domain.effect import EffectState
from domain.ticket import TicketRef
from tests.adapters.postgres.story import Story, now
from tests.conftest import Databases


@pytest.fixture
def story(databases: Databases, registry: object, keys: object, ticket: TicketRef) -> Story:
    return Story(databases, registry, keys, ticket)  # type: ignore[arg-type]


async def _run(story: Story, statement: str, **values: object) -> None:
    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        await session.execute(text(statement), values)


async def _arrive(story: Story, route: str | None) -> None:
    arrival = Arrival(
        tenant_id=story.ticket.tenant_id,
        kind=InboxKind.HELPDESK,
        source="generic",
        delivery_key=uuid4().hex,
        body=b"{}",
        route=route,
    )
    await DoorInbox(story.databases.door, DoorKeys(story.keys._store, bytes(range(32)))).accept(arrival)


async def quarantined(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await _run(story, "update tickets set reason = 'quarantined', stage = 'handed_over'")


async def inbox_waits(story: Story) -> None:
    await _arrive(story, story.ticket.route)


async def unroutable(story: Story) -> None:
    await _arrive(story, None)


async def effects_unknown(story: Story) -> None:
    intent = await story.allowed()
    await story.claim(intent)
    await story.ledger.record(intent, EffectState.UNKNOWN)


async def effects_claimed(story: Story) -> None:
    await story.claim(await story.allowed())
    old = now() - timedelta(hours=1)
    aged = update(effects).values(claimed_at=old, moved_at=old)
    async with story.databases.egress.transaction(story.ticket.tenant_id) as session:
        await session.execute(aged.where(effects.c.tenant_id == story.ticket.tenant_id))


async def approvals_overdue(story: Story) -> None:
    await story.asked(await story.decided(Verdict.APPROVAL_NEEDED), expires_in=-timedelta(hours=1))


async def nothing(story: Story) -> None:
    """Young rows of every kind, as in any system at work."""
    await story.claim(await story.allowed())
    await story.asked(await story.decided(Verdict.APPROVAL_NEEDED))
    await _arrive(story, story.ticket.route)


FAULTS: Mapping[str, Callable[[Story], Awaitable[None]]] = {
    fault.__name__: fault
    for fault in (
        quarantined, inbox_waits, unroutable, effects_unknown, effects_claimed, approvals_overdue,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_a_planted_fault_raises_its_alarm_and_no_other(story: Story, name: str) -> None:
    await FAULTS[name](story)
    # A fresh delivery is no fault; so the window is closed only for the one that is planted.
    windows = {**WINDOWS, "inbox_waits": -60.0 if name == "inbox_waits" else 60.0}

    raised = await OperatorCounts(story.databases.app).of(story.ticket.tenant_id, windows)

    assert {alarm: need.count for alarm, need in raised.items()} == {name: 1}
    assert len(raised[name].named) == 1


async def test_what_is_at_work_raises_nothing(story: Story) -> None:
    await nothing(story)

    assert await OperatorCounts(story.databases.app).of(story.ticket.tenant_id, WINDOWS) == {}


async def test_what_is_named_is_bounded_and_what_is_counted_is_not(story: Story) -> None:
    for _ in range(NAMED + 2):
        await unroutable(story)

    raised = await OperatorCounts(story.databases.app).of(story.ticket.tenant_id, WINDOWS)

    assert (raised["unroutable"].count, len(raised["unroutable"].named)) == (NAMED + 2, NAMED)


def test_every_table_alarm_has_its_fault() -> None:
    assert set(FAULTS) == {alarm.name for alarm in IN_TABLES}


def test_a_line_says_how_many_are_not_named() -> None:
    alarm = Alarm("a", "things", "Do it")

    assert Raised(alarm, 0).seen == "no things"
    assert Raised(alarm, 1, ("x",)).seen == "1 things: x"
    assert Raised(alarm, 7, ("x", "y")).seen == "7 things: x, y and 5 more"


@pytest.mark.parametrize(("age_s", "count"), [(None, 0), (59, 0), (61, 4)])
def test_unsealed_events_are_an_alarm_after_a_minute(age_s: int | None, count: int) -> None:
    age = None if age_s is None else timedelta(seconds=age_s)

    assert unsealed_audit(age, 4 if age_s else 0).count == count


def test_tenants_whose_policy_cannot_be_loaded_are_named() -> None:
    raised = unusable_policies([f"tenant{number}" for number in range(9)])

    assert (raised.count, raised.named) == (9, tuple(f"tenant{number}" for number in range(NAMED)))
    assert unusable_policies([]).count == 0


def test_unarchived_runs_are_named() -> None:
    assert unarchived_runs([f"run{number}" for number in range(9)], 9).named == tuple(
        f"run{number}" for number in range(NAMED)
    )


@pytest.mark.end_to_end
async def test_a_running_system_raises_no_alarm_and_says_so_in_json(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await stack.until_ready()
    findings = [finding async for finding in examine(Settings(_env_file=None, home=stack.home.path))]

    assert {alarm.name for alarm in IN_TABLES} <= {finding.what for finding in findings}
    assert {"workflows_stuck", "tickets_slow", "retention_short", "policies_unusable"} <= {
        finding.what for finding in findings
    }
    assert not [finding for finding in findings if finding.remedy]
    assert json.dumps([finding.seen for finding in findings])
    monkeypatch.setenv("COUNTERSIGN_HOME", str(stack.home.path / "nothing"))
    assert run(["doctor", "--help"]) == 0
    capsys.readouterr()
