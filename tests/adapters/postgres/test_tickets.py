"""The projection of a ticket: what its next run must know, and who owns it."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import func, literal_column, select, update
from sqlalchemy.exc import DBAPIError

from adapters.postgres.tables import answered_messages, audit_events, decisions, tickets
from domain.approval import ApprovalStatus
from domain.audit import TurnSettled
from domain.decision import Verdict
from domain.handoff import HandoffReason
from domain.ticket import ClosingRecord, Outcome, Owner, Settlement, Stage
from tests.adapters.postgres.story import Story

FIRST, SECOND = "msg_" + 32 * "1", "msg_" + 32 * "2"


def settlement(record: ClosingRecord, message: str | None = None, stage: Stage = Stage.SETTLED) -> Settlement:
    return Settlement(record=record, stage=stage, reason="answered", message=message)


async def test_a_new_ticket_begins_with_automation(story: Story) -> None:
    record = await story.tickets.open(story.ticket, "1001", "generic")

    assert record == ClosingRecord()
    assert await story.tickets.owner(story.ticket) == (Owner.AUTOMATION, 0)
    assert await story.tickets.external_id(story.ticket) == ("generic", "1001")


async def test_a_reopened_ticket_knows_how_its_last_run_ended(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    epoch = await story.tickets.hand_over(story.ticket, HandoffReason.LEGAL_THREAT)
    record = ClosingRecord(turns=3, owner=Owner.TEAMMATE, owner_epoch=epoch, outcome=Outcome.HANDED_OVER)
    await story.tickets.settle(story.ticket, settlement(record))
    await story.tickets.settle(story.ticket, settlement(record))

    assert await story.tickets.open(story.ticket, "1001", "generic") == record


async def test_settling_never_changes_the_owner(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await story.tickets.hand_over(story.ticket, HandoffReason.ERROR)

    await story.tickets.settle(story.ticket, settlement(ClosingRecord(turns=1, outcome=Outcome.ASSUMED)))

    assert await story.tickets.owner(story.ticket) == (Owner.TEAMMATE, 1)


async def test_a_run_that_has_not_heard_of_a_take_over_writes_over_nothing(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    epoch = await story.tickets.hand_over(story.ticket, HandoffReason.ERROR)
    known = ClosingRecord(turns=1, owner=Owner.TEAMMATE, owner_epoch=epoch, outcome=Outcome.HANDED_OVER)
    await story.tickets.settle(story.ticket, settlement(known, stage=Stage.HANDED_OVER))

    late = ClosingRecord(turns=1, outcome=Outcome.ASSUMED)
    await story.tickets.settle(story.ticket, settlement(late, FIRST))

    assert (await story.tickets.open(story.ticket, "1001", "generic")).outcome is Outcome.HANDED_OVER
    assert await story.tickets.seen_messages(story.ticket) == {FIRST}


async def test_a_ticket_handed_back_is_known_as_restless_until_it_is_settled(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    marked = update(tickets).where(tickets.c.id == story.ticket.ticket_id)
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        await session.execute(marked.values(stage=Stage.FETCHING, reason="handed_back"))

    record = await story.tickets.open(story.ticket, "1001", "generic")
    await story.tickets.settle(story.ticket, settlement(ClosingRecord()))

    assert record.restless
    assert (await story.tickets.open(story.ticket, "1001", "generic")).restless is None


async def test_a_handover_counts_once_however_often_it_is_told(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")

    epochs = await asyncio.gather(
        *(story.tickets.hand_over(story.ticket, HandoffReason.ERROR) for _ in range(5))
    )

    assert epochs == [1] * 5
    audited = select(func.count()).where(audit_events.c.kind == "ticket_handed_over")
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        assert (await session.execute(audited)).scalar_one() == 1


async def test_a_ticket_that_was_never_read_can_be_handed_over_and_read_later(story: Story) -> None:
    assert await story.tickets.hand_over(story.ticket, HandoffReason.ERROR) == 1
    assert await story.tickets.external_id(story.ticket) is None

    record = await story.tickets.open(story.ticket, "1001", "generic")

    assert (record.owner, record.owner_epoch) == (Owner.TEAMMATE, 1)
    assert await story.tickets.external_id(story.ticket) == ("generic", "1001")


async def test_answered_messages_are_remembered(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    for message in (FIRST, SECOND, FIRST):
        await story.tickets.settle(story.ticket, settlement(ClosingRecord(), message))

    assert await story.tickets.seen_messages(story.ticket) == {FIRST, SECOND}


async def test_a_settled_turn_is_seen_whole_or_not_at_all(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    waiting = settlement(ClosingRecord(turns=1), FIRST, Stage.WAITING_FOR_CUSTOMER)

    await story.tickets.settle(story.ticket, waiting)

    # Rows of one transaction carry its id; a second transaction would have shown what lies between.
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        stage, wrote = (await session.execute(select(tickets.c.stage, literal_column("tickets.xmin")))).one()
        remembered = select(answered_messages.c.message, literal_column("answered_messages.xmin"))
        assert (await session.execute(remembered)).one() == (FIRST, wrote)
    assert stage == Stage.WAITING_FOR_CUSTOMER


async def test_a_settled_turn_leaves_one_audit_event_however_often_it_is_told(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    decision = await story.decided(turn=1)
    told = Settlement(
        record=ClosingRecord(turns=1),
        stage=Stage.WAITING_FOR_CUSTOMER,
        reason="answered",
        message=FIRST,
        retrieved=(uuid4(),),
    )

    await story.tickets.settle(story.ticket, told)
    await story.tickets.settle(story.ticket, told)

    query = select(audit_events.c.content).where(audit_events.c.kind == "turn_settled")
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        event = TurnSettled.model_validate((await session.execute(query)).scalar_one())
    assert (event.ticket_id, event.turn, event.message) == (story.ticket.ticket_id, 1, FIRST)
    assert event.retrieved == told.retrieved
    assert [made.decision_id for made in event.decisions] == [decision.decision_id]


async def test_the_stage_is_for_operators(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")

    await story.tickets.set_stage(story.ticket, Stage.DRAFTING)

    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        assert (await session.execute(select(tickets.c.stage))).scalar_one() == Stage.DRAFTING


@pytest.mark.parametrize("change", [{"owner_epoch": 0}, {"owner": "automation"}])
async def test_the_epoch_only_rises(story: Story, change: dict[str, object]) -> None:
    await story.tickets.hand_over(story.ticket, HandoffReason.ERROR)

    with pytest.raises(DBAPIError, match="higher epoch"):
        async with story.databases.app.transaction(story.ticket.tenant_id) as session:
            await session.execute(update(tickets).values(**change))


async def test_a_decision_made_again_is_recorded_once_with_its_whole_input(story: Story) -> None:
    decision = await story.decided()
    await story.decided()

    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        row = (await session.execute(select(decisions))).one()
    assert (row.id, row.verdict, row.latency_us) == (decision.decision_id, "allow", 300)
    assert row.input["action"]["type"] == "refund"
    assert row.messages == ["Within the limit"]


async def test_an_approval_is_closed_once(story: Story) -> None:
    request = await story.approved(await story.decided(Verdict.APPROVAL_NEEDED))

    await story.approvals.close(story.ticket, request.approval_id, ApprovalStatus.EXPIRED)
    await story.approvals.close(story.ticket, request.approval_id, ApprovalStatus.APPROVED)

    audited = select(audit_events.c.kind).where(audit_events.c.kind.like("approval%"))
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        assert (await session.execute(audited)).scalars().all() == ["approval_approved"]
