"""Mail that nobody waits for an answer to, customers who only thank, and systems that answer each other."""

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.action import ActionType
from domain.conversation import Author
from domain.handoff import HandoffReason
from domain.ports import Delivery
from domain.ticket import Outcome, Stage
from tests.office import TENANT, TICKET, Office
from tests.workflows.running import Desk, open_desk
from workflows.messages import DeliveryArrived, TicketClosed
from workflows.ticket import TicketWorkflow

HOURS = "What are your opening hours?"
WINDOW_S = 3 * 24 * 3600
Run = WorkflowHandle[TicketWorkflow, TicketClosed]


async def answered(desk: Desk) -> Run:
    """Until the customer is waited for."""
    run = await desk.start(desk.office.write(HOURS))
    while (await run.query(TicketWorkflow.status)).stage is not Stage.WAITING_FOR_CUSTOMER:
        await desk.office.sender.wait_for(ActionType.ADD_TAGS)
    return run


async def arrive(run: Run, delivery: Delivery) -> None:
    arrived = DeliveryArrived(tenant_id=TENANT, delivery_id=delivery.id)
    await run.signal(TicketWorkflow.delivery_arrived, arrived)


async def test_out_of_office_mail_gets_no_answer(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        closed = await (await desk.start(office.write("I am away", automatic=True))).result()

    assert closed.record.outcome is Outcome.ABANDONED
    assert office.tickets.reasons[TICKET] == ["automatic_mail"]
    assert office.sender.seen == []


async def test_out_of_office_mail_after_an_answer_is_no_recontact(environment: WorkflowEnvironment) -> None:
    office = Office(window_s=WINDOW_S)

    async with open_desk(environment, office) as desk:
        run = await answered(desk)
        await arrive(run, office.write("I am away until Monday", automatic=True))
        closed = await run.result()

    assert closed.record.outcome is Outcome.ASSUMED
    assert office.tickets.reasons[TICKET] == ["answered", "silence"]
    assert len(office.replies()) == 1


async def test_merged_ticket_ends_without_effect(environment: WorkflowEnvironment) -> None:
    office = Office()
    delivery = office.write(HOURS)
    office.mark(merged=True)

    async with open_desk(environment, office) as desk:
        closed = await (await desk.start(delivery)).result()

    assert closed.record.outcome is Outcome.ABANDONED
    assert office.tickets.reasons[TICKET] == ["merged"]
    assert office.sender.seen == []


async def test_ticket_marked_as_spam_in_its_window_ends_at_once(environment: WorkflowEnvironment) -> None:
    office = Office(window_s=WINDOW_S)

    async with open_desk(environment, office) as desk:
        run = await answered(desk)
        office.mark(spam=True)
        await arrive(run, office.deliver("marked"))
        await run.result()

    assert office.tickets.reasons[TICKET] == ["answered", "spam"]


async def test_teammate_who_answers_first_is_not_talked_over(environment: WorkflowEnvironment) -> None:
    office = Office()
    delivery = office.write(HOURS)
    office.write("Nine to five!", Author.TEAMMATE)

    async with open_desk(environment, office) as desk:
        closed = await (await desk.start(delivery)).result()

    assert closed.record.outcome is Outcome.ABANDONED
    assert office.tickets.reasons[TICKET] == ["answered_by_teammate"]
    assert office.sender.seen == []


async def test_automatic_mail_of_the_team_answers_nothing(environment: WorkflowEnvironment) -> None:
    office = Office()
    delivery = office.write(HOURS)
    office.write("We have received your request", Author.TEAMMATE, automatic=True)

    async with open_desk(environment, office) as desk:
        await (await desk.start(delivery)).result()

    assert len(office.replies()) == 1


async def test_thanks_after_an_answer_confirm_it(environment: WorkflowEnvironment) -> None:
    office = Office(window_s=WINDOW_S)

    async with open_desk(environment, office) as desk:
        run = await answered(desk)
        await arrive(run, office.write("thanks, great"))
        closed = await run.result()

    assert closed.record.outcome is Outcome.CONFIRMED
    assert office.tickets.reasons[TICKET] == ["answered", "thanked"]
    assert len(office.replies()) == 1
    assert len(office.sender.sent(ActionType.SET_STATUS)) == 2


async def test_thanks_in_a_first_message_are_no_answer(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        closed = await desk.run("What are your opening hours? thanks")

    assert closed.record.outcome is Outcome.ASSUMED
    assert len(office.replies()) == 1


async def test_customer_who_writes_again_after_the_window_changes_the_outcome(
    environment: WorkflowEnvironment,
) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        await desk.run(HOURS)
        again = await desk.start(office.write("And the opening hours on Sunday?"))
        closed = await again.result()

    assert office.tickets.reasons[TICKET] == ["answered", "recontacted", "answered"]
    assert closed.record.turns == 2


async def test_two_systems_that_answer_each_other_are_cut(environment: WorkflowEnvironment) -> None:
    office = Office(max_replies_per_hour=4)

    async with open_desk(environment, office) as desk:
        reasons = [
            (await (await desk.start(office.write(f"{HOURS} No {number}"))).result()).handed_over_because
            for number in range(6)
        ]

    assert len(office.replies()) == 4
    assert reasons == [None] * 4 + [HandoffReason.LOOP_SUSPECTED, None]
    assert len(office.notes()) == 1


async def test_same_words_after_each_answer_are_a_loop(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        for _ in range(4):
            await (await desk.start(office.write(HOURS))).result()

    assert len(office.replies()) == 2
    assert "loop_suspected" in office.tickets.reasons[TICKET]
