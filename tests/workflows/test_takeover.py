"""A teammate takes a ticket, stops it or hands it back, whatever its run is doing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from adapters.in_memory import InMemoryShop
from domain.action import ActionType
from domain.approval import ApprovalStatus, VoteKind
from domain.fact import OrderRecord
from domain.handoff import HandoffReason
from domain.ownership import Stop, TakeOver
from domain.ticket import Outcome, Owner, Stage, TicketRef
from tests.office import TICKET, Office, order
from tests.workflows.conftest import opened_environment
from tests.workflows.running import Desk, open_desk
from workflows.messages import TicketClosed
from workflows.ticket import TicketWorkflow

HOURS = "What are your opening hours?"
MEDIUM = "refund HB-1002"
WINDOW_S = 3 * 24 * 3600
WHO = "principal_" + "7" * 24
Run = WorkflowHandle[TicketWorkflow, TicketClosed]


async def take_over(desk: Desk, run: Run) -> None:
    """First the fence, then the run, as the command does it."""
    epoch = desk.office.tickets.take_over(TICKET)
    order_ = TakeOver(ticket=TICKET, principal=WHO, owner_epoch=epoch)
    await run.execute_update(TicketWorkflow.take_over, order_, id=f"take_over/{epoch}")


async def waiting(desk: Desk) -> Run:
    run = await desk.start(desk.office.write(MEDIUM))
    await desk.office.sender.wait_for(ActionType.SLACK_POST)
    return run


async def answered(desk: Desk) -> Run:
    """Until the customer is waited for."""
    run = await desk.start(desk.office.write(HOURS))
    while (await run.query(TicketWorkflow.status)).stage is not Stage.WAITING_FOR_CUSTOMER:
        await desk.office.sender.wait_for(ActionType.ADD_TAGS)
    return run


class SlowShop(InMemoryShop):
    """Answers when it is released, and says when it was asked."""

    def __init__(self, *orders: OrderRecord) -> None:
        super().__init__(*orders)
        self.asked = asyncio.Event()
        self.released = asyncio.Event()

    async def orders_of(self, tenant_id: UUID, email: str) -> Sequence[OrderRecord]:
        self.asked.set()
        await self.released.wait()
        return await super().orders_of(tenant_id, email)


async def test_take_over_while_a_question_waits_takes_the_question_back(
    environment: WorkflowEnvironment,
) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        await take_over(desk, run)
        closed = await run.result()

    (kept,) = office.approvals.kept.values()
    assert kept.status is ApprovalStatus.CANCELLED
    assert [len(office.sender.sent(kind)) for kind in (ActionType.REFUND, ActionType.REPLY)] == [0, 0]
    assert "Cancelled" in office.sender.sent(ActionType.SLACK_UPDATE)[0].text
    assert closed.record.outcome is Outcome.HANDED_OVER
    assert closed.handed_over_because is HandoffReason.TAKEN_OVER


async def test_who_takes_over_finds_the_story_and_no_further_card(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        await take_over(desk, run)
        await run.result()

    (note,) = office.notes()
    assert "A teammate took it over" in note
    assert len(office.sender.sent(ActionType.SLACK_POST)) == 1


async def test_take_over_cuts_a_draft_under_way() -> None:
    office = Office()
    office.shop = shop = SlowShop()

    # A server of its own: one that waited for a step that was cut may not skip time again.
    async with opened_environment() as environment, open_desk(environment, office) as desk:
        run = await desk.start(office.write(HOURS))
        await shop.asked.wait()
        await take_over(desk, run)
        closed = await run.result()
        shop.released.set()

    assert office.replies() == []
    assert closed.record.owner is Owner.TEAMMATE
    assert office.tickets.answered == {}


async def test_effect_under_way_ends_as_the_ledger_says(environment: WorkflowEnvironment) -> None:
    office = Office()
    office.sender.gate = asyncio.Event()

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write(HOURS))
        await office.sender.entered.wait()
        await take_over(desk, run)
        office.sender.gate.set()
        closed = await run.result()

    assert len(office.replies()) == 1
    assert closed.record.outcome is Outcome.HANDED_OVER
    assert list(office.tickets.answered) == [TICKET]


async def test_take_over_in_the_recontact_window_ends_the_run(environment: WorkflowEnvironment) -> None:
    office = Office(window_s=WINDOW_S)

    async with open_desk(environment, office) as desk:
        run = await answered(desk)
        await take_over(desk, run)
        closed = await run.result()

    assert closed.record.owner is Owner.TEAMMATE
    assert office.tickets.reasons[TICKET] == ["answered", "taken_over"]
    assert office.tickets.stages[TICKET] is Stage.HANDED_OVER


async def test_ticket_handed_back_asks_anew_and_does_everything_once(
    environment: WorkflowEnvironment,
) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        await take_over(desk, run)
        await run.result()
        office.tickets.hand_back(TICKET)
        again = await desk.start(office.deliver("handed_back"))
        await office.sender.wait_for(ActionType.SLACK_POST, 2)
        assert await desk.vote(VoteKind.APPROVE) is ApprovalStatus.APPROVED
        closed = await again.result()

    assert closed.record.turns == 2
    assert [len(office.sender.sent(kind)) for kind in (ActionType.REFUND, ActionType.REPLY)] == [1, 1]
    assert [kept.status for kept in office.approvals.kept.values()] == ["cancelled", "approved"]


async def test_ticket_handed_back_after_its_answer_does_nothing_again(
    environment: WorkflowEnvironment,
) -> None:
    office = Office(window_s=WINDOW_S)

    async with open_desk(environment, office) as desk:
        run = await answered(desk)
        await take_over(desk, run)
        await run.result()
        before = len(office.sender.seen)
        office.tickets.hand_back(TICKET)
        again = await desk.start(office.deliver("handed_back"))
        await again.result()

    assert len(office.sender.seen) == before
    assert office.tickets.stages[TICKET] is Stage.SETTLED


async def test_refund_made_before_a_take_over_is_not_made_again_after_a_hand_back(
    environment: WorkflowEnvironment,
) -> None:
    office = Office()
    office.sender.gate = asyncio.Event()

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write("refund HB-1001"))
        await office.sender.entered.wait()
        await take_over(desk, run)
        office.sender.gate.set()
        await run.result()
        office.shop.orders["HB-1001"] = order("HB-1001", 30_00, refunded=order("HB-1001", 30_00).total)
        office.tickets.hand_back(TICKET)
        again = await desk.start(office.deliver("handed_back"))
        await again.result()

    assert len(office.sender.sent(ActionType.REFUND)) == 1


async def test_stop_ends_the_run_and_tells_nobody(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        epoch = office.tickets.take_over(TICKET)
        ordered = Stop(ticket=TICKET, principal=WHO, owner_epoch=epoch)
        await run.execute_update(TicketWorkflow.stop, ordered, id="stop/1")
        closed = await run.result()

    assert closed.record.outcome is Outcome.ABANDONED
    assert office.notes() == []
    assert office.tickets.reasons[TICKET][-1] == "stopped"


async def test_order_for_another_ticket_is_refused(environment: WorkflowEnvironment) -> None:
    other = TicketRef(tenant_id=TICKET.tenant_id, route=uuid4().hex)

    async with open_desk(environment, Office()) as desk:
        run = await waiting(desk)
        ordered = TakeOver(ticket=other, principal=WHO, owner_epoch=1)
        with pytest.raises(WorkflowUpdateFailedError):
            await run.execute_update(TicketWorkflow.take_over, ordered)


async def test_take_over_told_twice_is_one(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        epoch = office.tickets.take_over(TICKET)
        for id_ in ("first", "second"):
            ordered = TakeOver(ticket=TICKET, principal=WHO, owner_epoch=epoch)
            await run.execute_update(TicketWorkflow.take_over, ordered, id=id_)
        await run.result()

    assert len(office.notes()) == 1


@pytest.fixture
async def own_server() -> AsyncIterator[WorkflowEnvironment]:
    """For runs that are cut or overtaken more than once: the shared server may not skip time after them."""
    async with opened_environment() as environment:
        yield environment


@pytest.mark.parametrize("window_s", [0, WINDOW_S])
async def test_order_from_before_a_hand_back_says_nothing_any_more(
    own_server: WorkflowEnvironment, window_s: int
) -> None:
    office = Office(window_s=window_s)
    office.sender.gate = asyncio.Event()

    async with open_desk(own_server, office) as desk:
        await office.tickets.open(TICKET, "1001", "generic")
        late = TakeOver(ticket=TICKET, principal=WHO, owner_epoch=office.tickets.take_over(TICKET))
        office.tickets.hand_back(TICKET)
        run = await desk.start(office.write(HOURS))
        await office.sender.entered.wait()
        await run.execute_update(TicketWorkflow.take_over, late)
        office.sender.gate.set()
        closed = await run.result()

    assert len(office.replies()) == 1
    assert closed.record.owner is Owner.AUTOMATION
    assert closed.record.outcome is Outcome.ASSUMED


async def test_second_order_cuts_no_effect_either(own_server: WorkflowEnvironment) -> None:
    office = Office()
    office.sender.gate = asyncio.Event()

    async with open_desk(own_server, office) as desk:
        run = await desk.start(office.write("refund HB-1001"))
        await office.sender.entered.wait()
        await take_over(desk, run)
        again = TakeOver(ticket=TICKET, principal=WHO, owner_epoch=2)
        await run.execute_update(TicketWorkflow.take_over, again)
        office.sender.gate.set()
        await run.result()

    assert len(office.sender.sent(ActionType.REFUND)) == 1
    assert {row.state for row in office.ledger.rows.values()} <= {"confirmed", "withdrawn"}
    assert "Refund: confirmed" in office.notes()[0]


async def test_hand_back_while_the_story_is_left_stays(own_server: WorkflowEnvironment) -> None:
    office = Office()
    office.sender.gate = asyncio.Event()

    async with open_desk(own_server, office) as desk:
        run = await desk.start(office.write(HOURS))
        await office.sender.entered.wait()
        await take_over(desk, run)
        office.tickets.hand_back(TICKET)
        office.sender.gate.set()
        await run.result()

    assert await office.tickets.owner(TICKET) == (Owner.AUTOMATION, 2)
    assert office.tickets.stages[TICKET] is Stage.FETCHING
    assert "taken_over" not in office.tickets.reasons.get(TICKET, [])
