"""Settling a turn writes what it took, once; every outcome leaves a line that nobody can change."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from adapters.postgres.measuring import ACKNOWLEDGEMENT
from adapters.postgres.ownership import PostgresOwnership
from adapters.postgres.tables import answered_messages, ticket_measures, ticket_outcomes, tickets
from adapters.postgres.tenant_registry import TenantRegistry
from domain.ticket import ClosingRecord, Outcome, Settlement, Stage
from tests.adapters.postgres.measured_rows import after, arrived, replied, was_asked
from tests.adapters.postgres.story import Story
from tests.api.pages.conftest import counted
from tests.conftest import Databases, a_tenant
from workflows.plan import Ordinal


def settlement(
    turn: int,
    outcome: Outcome | None = None,
    stage: Stage = Stage.WAITING_FOR_CUSTOMER,
    reason: str = "answered",
) -> Settlement:
    record = ClosingRecord(turns=turn, outcome=outcome)
    return Settlement(record=record, stage=stage, reason=reason, message=f"msg_{turn:032x}")


async def turns(story: Story) -> Sequence[Row[Any]]:
    query = select(ticket_measures).order_by(ticket_measures.c.turn)
    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        return (await session.execute(query)).all()


async def trail(story: Story) -> list[tuple[Any, ...]]:
    columns = (ticket_outcomes.c.previous, ticket_outcomes.c.outcome, ticket_outcomes.c.reason)
    query = select(*columns).order_by(ticket_outcomes.c.sequence)
    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        return [tuple(row) for row in (await session.execute(query)).all()]


async def test_turn_with_a_question_is_measured_from_what_is_there(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await arrived(story, 0)
    await arrived(story, 2)
    await arrived(story, -60, kind="slack")
    await arrived(story, -60, route=uuid4().hex)
    await replied(story, 1, 3, ordinal=ACKNOWLEDGEMENT)
    await was_asked(story, 1, 1, 31, "approved")
    await replied(story, 1, 32)
    await replied(story, 1, 40)
    await replied(story, 1, 4, state="unknown")
    await replied(story, 1, 4, type_="private_note")
    await replied(story, 2, 1)

    await story.tickets.settle(story.ticket, settlement(1))

    [turn] = await turns(story)
    assert (turn.received_at, turn.first_reply_at) == (after(0), after(32))
    assert (turn.waited_for_people_ms, turn.decided_in_ms) == (30 * 60_000, 30 * 60_000)
    assert turn.approved_unchanged is True
    assert turn.handoff_reason is None


async def test_changed_draft_is_not_approved_unchanged_and_both_waits_count(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await was_asked(story, 1, 0, 10, "superseded")
    await was_asked(story, 1, 11, 16, "approved")

    await story.tickets.settle(story.ticket, settlement(1))

    [turn] = await turns(story)
    assert turn.approved_unchanged is False
    assert (turn.waited_for_people_ms, turn.decided_in_ms) == (15 * 60_000, 16 * 60_000)


async def test_question_that_nobody_answers_is_neither_approved_nor_changed(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await was_asked(story, 1, 0, 60, "expired")

    await story.tickets.settle(
        story.ticket, settlement(1, Outcome.HANDED_OVER, Stage.HANDED_OVER, "approval_expired")
    )

    [turn] = await turns(story)
    assert (turn.approved_unchanged, turn.decided_in_ms) == (None, None)
    assert (turn.waited_for_people_ms, turn.handoff_reason) == (60 * 60_000, "approval_expired")


async def test_later_turn_begins_with_what_came_after_the_one_before(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await arrived(story, 0)
    await story.tickets.settle(story.ticket, settlement(1))
    [first] = await turns(story)
    later = (first.settled_at - after(0) + timedelta(hours=1)).total_seconds() / 60
    await arrived(story, later)
    await arrived(story, later + 5)

    await story.tickets.settle(story.ticket, settlement(2))

    assert [turn.received_at for turn in await turns(story)] == [after(0), after(later)]


async def test_turn_told_of_before_the_last_one_ended_begins_with_the_newest_delivery(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await arrived(story, 0)
    await arrived(story, 7)
    await story.tickets.settle(story.ticket, settlement(1))

    await story.tickets.settle(story.ticket, settlement(2))

    assert [turn.received_at for turn in await turns(story)] == [after(0), after(7)]


async def test_settling_again_writes_nothing_twice_and_costs_one_statement_the_first_time(
    story: Story,
) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    told = settlement(1, Outcome.ASSUMED, Stage.SETTLED)

    with counted(story.databases.app) as first:
        await story.tickets.settle(story.ticket, told)
    once, lines = await turns(story), await trail(story)
    with counted(story.databases.app) as again:
        await story.tickets.settle(story.ticket, told)

    assert await turns(story) == once
    assert await trail(story) == lines == [(None, "assumed", "answered")]
    assert [sum("ticket_measures" in asked for asked in each) for each in (first, again)] == [1, 0]
    # The tenant, the ticket, the message, what is known of the turn, its audit event - and its measures.
    assert (len(first), len(again)) == (6, 3)


async def test_late_recontact_changes_the_outcome_and_leaves_a_line(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    steps = [
        (Outcome.ASSUMED, "silence"),
        (Outcome.RECONTACTED, "recontacted"),
        (Outcome.RECONTACTED, "recontacted"),
        (None, "answered"),
    ]
    for outcome, reason in steps:
        record = ClosingRecord(turns=1, outcome=outcome)
        await story.tickets.settle(
            story.ticket, Settlement(record=record, stage=Stage.FETCHING, reason=reason)
        )

    assert await trail(story) == [
        (None, "assumed", "silence"),
        ("assumed", "recontacted", "recontacted"),
        ("recontacted", None, "answered"),
    ]


async def test_outcome_that_a_teammate_causes_leaves_a_line_too(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await PostgresOwnership(story.databases.door).stop(story.ticket, await story.approver())

    assert await trail(story) == [(None, "abandoned", "stopped")]


@pytest.mark.parametrize(
    "statement",
    [
        "update ticket_outcomes set outcome = 'assumed'",
        "delete from ticket_outcomes",
        "truncate ticket_outcomes",
        "insert into ticket_outcomes (sequence) values (1)",
        "alter table tickets disable trigger outcome_trail",
        "drop trigger outcome_trail on tickets",
        "set session_replication_role = replica",
        "update ticket_measures set handoff_reason = null",
        "delete from ticket_measures",
        "insert into ticket_measures (turn, settled_at) values (1, now())",
        "insert into tickets (route, outcome) values ('', 'x')",
        "insert into handoff_judgements (sequence, verdict) values (1, 'right')",
        "update labelled_edits set distance_permille = 0",
        "select keep_outcome()",
    ],
)
@pytest.mark.parametrize("role", ["app", "door", "egress", "relay"])
async def test_nobody_changes_or_skips_what_is_measured(
    databases: Databases, role: str, statement: str
) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with getattr(databases, role).across_tenants() as session:
            await session.execute(text(statement))


async def test_outcome_changed_by_hand_leaves_a_line(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        await session.execute(update(tickets).values(outcome="assumed"))

    assert await trail(story) == [(None, "assumed", None)]


async def test_other_tenants_see_nothing_of_it(story: Story, registry: TenantRegistry) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await story.tickets.settle(story.ticket, settlement(1, Outcome.ASSUMED))
    other = await a_tenant(registry)

    async with story.databases.app.transaction(other) as session:
        for table in (ticket_outcomes, ticket_measures):
            assert (await session.execute(select(table))).all() == []


def test_word_that_answers_nothing_is_numbered_as_in_the_plan() -> None:
    assert ACKNOWLEDGEMENT == Ordinal.ACKNOWLEDGEMENT


async def test_turn_of_a_ticket_from_before_the_measures_does_not_begin_weeks_ago(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await arrived(story, 0)
    await arrived(story, 20 * 24 * 60)
    earlier = insert(answered_messages).values(
        tenant_id=story.ticket.tenant_id, ticket_id=story.ticket.ticket_id, message="msg_" + 32 * "f", turn=3
    )
    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        await session.execute(earlier)

    await story.tickets.settle(story.ticket, settlement(4))

    [turn] = await turns(story)
    assert turn.received_at != after(0)
