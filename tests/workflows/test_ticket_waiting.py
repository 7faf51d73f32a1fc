"""Messages that come while a ticket works or waits, and windows that close."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.testing import WorkflowEnvironment
from temporalio.workflow import Info

from adapters.in_memory import InMemoryShop, InMemoryTickets
from domain.action import ActionType
from domain.approval import ApprovalStatus, VoteKind
from domain.errors import DeliveryRefused, DeliveryUncertain, KeyDestroyed
from domain.fact import OrderRecord
from domain.handoff import HandoffReason
from domain.ticket import Outcome, Stage, TicketRef
from tests.office import NOW, TENANT, TICKET, Office, WatchedSender
from tests.workflows.conftest import opened_environment
from tests.workflows.running import open_desk
from workflows.mailbox import REMEMBERED, Mailbox
from workflows.messages import DeliveryArrived
from workflows.ticket import TicketWorkflow

WINDOW_S = 3 * 24 * 3600
HOURS = "What are your opening hours?"


async def test_silence_for_the_whole_window_is_assumed_content(environment: WorkflowEnvironment) -> None:
    office = Office(window_s=WINDOW_S)

    async with open_desk(environment, office) as desk:
        closed = await desk.run(HOURS)

    assert closed.record.outcome is Outcome.ASSUMED
    assert office.tickets.reasons[TICKET] == ["answered", "silence"]


async def test_next_message_within_the_window_gets_its_own_turn(environment: WorkflowEnvironment) -> None:
    office = Office(window_s=WINDOW_S)

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write(HOURS))
        await office.sender.wait_for(ActionType.ADD_TAGS)
        again = office.write("And the opening hours on Sunday?")
        await run.signal(
            TicketWorkflow.delivery_arrived, DeliveryArrived(tenant_id=TENANT, delivery_id=again.id)
        )
        closed = await run.result()

    assert closed.record.turns == 2
    assert len(office.replies()) == 2
    assert "recontacted" in office.tickets.reasons[TICKET]


async def test_echo_within_the_window_does_not_end_it(environment: WorkflowEnvironment) -> None:
    office = Office(window_s=WINDOW_S)

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write(HOURS))
        await office.sender.wait_for(ActionType.ADD_TAGS)
        echo = office.deliver("echo")
        await run.signal(
            TicketWorkflow.delivery_arrived, DeliveryArrived(tenant_id=TENANT, delivery_id=echo.id)
        )
        closed = await run.result()

    assert closed.record.turns == 1
    assert closed.record.outcome is Outcome.ASSUMED


async def test_message_that_comes_while_an_approval_waits_gets_a_later_turn(
    environment: WorkflowEnvironment,
) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write("refund HB-1002"))
        await office.sender.wait_for(ActionType.SLACK_POST)
        again = office.write(HOURS)
        arrived = DeliveryArrived(tenant_id=TENANT, delivery_id=again.id)
        await run.signal(TicketWorkflow.delivery_arrived, arrived)
        await run.signal(TicketWorkflow.delivery_arrived, arrived)
        assert (await run.query(TicketWorkflow.status)).stage is Stage.WAITING_FOR_APPROVAL
        assert office.replies() == []
        await desk.vote(VoteKind.APPROVE)
        closed = await run.result()

    assert closed.record.turns == 2
    assert len(office.replies()) == 2


async def test_long_ticket_continues_as_new_within_its_window(
    environment: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_run(info: Info) -> bool:
        return info.continued_run_id is None

    monkeypatch.setattr(Info, "is_continue_as_new_suggested", first_run)
    office = Office(window_s=WINDOW_S)

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write(HOURS))
        closed = await run.result()

    assert closed.record.turns == 1
    assert closed.record.outcome is Outcome.ASSUMED
    assert len(office.replies()) == 1
    assert (await run.describe()).run_id != run.first_execution_run_id


async def test_handover_waits_for_what_carries_it(environment: WorkflowEnvironment) -> None:
    office = Office()
    office.tickets = StubbornTickets(refusals=2)
    office.ledger._tickets = office.tickets

    async with open_desk(environment, office) as desk:
        closed = await desk.run("I want a human")

    assert closed.record.outcome is Outcome.HANDED_OVER
    assert len(office.notes()) == 1


async def test_handover_that_never_works_ends_after_two_days(environment: WorkflowEnvironment) -> None:
    office = Office()
    office.tickets = StubbornTickets(refusals=100)

    async with open_desk(environment, office) as desk:
        closed = await desk.run("I want a human")

    assert closed.record.outcome is Outcome.HANDED_OVER
    assert office.notes() == []
    assert office.tickets.reasons[TICKET][-1] == "error"


async def test_handover_that_reached_nobody_is_told_again(environment: WorkflowEnvironment) -> None:
    office = Office()
    # The whole first round, then a card and a note of the second look.
    office.sender.before = [DeliveryRefused(403) for _ in range(6)]

    async with open_desk(environment, office) as desk:
        closed = await desk.run("I want a human")

    assert closed.record.outcome is Outcome.HANDED_OVER
    assert len(office.notes()) == len(office.sender.sent(ActionType.SLACK_POST)) == 1
    assert office.tickets.reasons[TICKET][-1] == "asked_for_human"


async def test_handover_that_arrived_unseen_is_not_told_twice(environment: WorkflowEnvironment) -> None:
    office = Office()
    unseen = WatchedSender(now=NOW, idempotent=False, settle_time=timedelta())
    unseen.after = [DeliveryUncertain() for _ in range(4)]
    unseen.finding = [DeliveryRefused(403) for _ in range(4)]
    office.sender = unseen

    async with open_desk(environment, office) as desk:
        await desk.run("I want a human")

    assert len(office.notes()) == len(unseen.sent(ActionType.SLACK_POST)) == 1


class StubbornTickets(InMemoryTickets):
    """Refuses handovers for good, several times."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals

    async def hand_over(self, ticket: TicketRef, reason: HandoffReason) -> int:
        if self.refusals:
            self.refusals -= 1
            raise KeyDestroyed
        return await super().hand_over(ticket, reason)


async def test_cancelled_ticket_takes_its_question_back_and_goes_to_a_teammate(
    environment: WorkflowEnvironment,
) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write("refund HB-1002"))
        await office.sender.wait_for(ActionType.SLACK_POST)
        await run.cancel()
        closed = await run.result()

    (kept,) = office.approvals.kept.values()
    assert kept.status is ApprovalStatus.CANCELLED
    assert closed.handed_over_because is HandoffReason.APPROVAL_CANCELLED
    assert office.sender.sent(ActionType.REFUND) == []


async def test_ticket_cancelled_within_a_step_ends_cancelled() -> None:
    office = Office()
    office.shop = StuckShop()

    # A server of its own: one that waited for a step that never ended may not skip time again.
    async with opened_environment() as environment, open_desk(environment, office) as desk:
        run = await desk.start(office.write(HOURS))
        await office.shop.asked.wait()
        await run.cancel()
        with pytest.raises(WorkflowFailureError) as stopped:
            await run.result()
        office.shop.released.set()

    assert isinstance(stopped.value.cause, CancelledError)
    assert office.sender.seen == []


class StuckShop(InMemoryShop):
    """Does not answer until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.released = asyncio.Event()

    async def orders_of(self, tenant_id: UUID, email: str) -> Sequence[OrderRecord]:
        self.asked.set()
        await self.released.wait()
        return await super().orders_of(tenant_id, email)


def test_mailbox_forgets_the_oldest_and_carries_the_rest() -> None:
    mailbox = Mailbox()
    ids = [uuid4() for _ in range(REMEMBERED + 1)]

    for id_ in [*ids, ids[-1]]:
        mailbox.arrive(id_)

    assert mailbox.seen == tuple(ids[1:])
    assert mailbox.unread == tuple(ids)
    assert mailbox.read() == ids[-1]
    assert not mailbox.has_unread
    assert mailbox.read() is None
