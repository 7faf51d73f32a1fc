"""Customers hear within the promised time, once per message, and never what has not been decided."""

from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from domain.action import ActionType
from domain.approval import VoteKind
from domain.errors import ChildDied, DeliveryRefused
from domain.ports import ACKNOWLEDGEMENT
from domain.ticket import Mode, Outcome
from tests.office import NAME, Office
from tests.workflows.running import open_desk

MEDIUM = "refund HB-1002"
PROMISE_S = 120


async def test_customer_hears_while_a_question_waits(environment: WorkflowEnvironment) -> None:
    office = Office(acknowledge_within_s=PROMISE_S)
    office.now = await environment.get_current_time()

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write(MEDIUM))
        await office.sender.wait_for(ActionType.SLACK_POST)
        await environment.sleep(timedelta(seconds=PROMISE_S + 1))
        assert [ACKNOWLEDGEMENT in text and NAME in text for text in office.replies()] == [True]
        await desk.vote(VoteKind.APPROVE)
        await run.result()

    assert [len(office.sender.sent(kind)) for kind in (ActionType.REFUND, ActionType.REPLY)] == [1, 2]
    assert "We have paid back" in office.replies()[1]


async def test_quick_yes_makes_the_word_unnecessary(environment: WorkflowEnvironment) -> None:
    office = Office(acknowledge_within_s=PROMISE_S)
    office.now = await environment.get_current_time()

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write(MEDIUM))
        await office.sender.wait_for(ActionType.SLACK_POST)
        await desk.vote(VoteKind.APPROVE)
        await run.result()

    assert len(office.replies()) == 1
    assert ACKNOWLEDGEMENT not in office.replies()[0]


async def test_message_that_waited_longer_than_promised_is_acknowledged_at_once(
    environment: WorkflowEnvironment,
) -> None:
    office = Office(acknowledge_within_s=PROMISE_S)
    office.now = await environment.get_current_time() - timedelta(hours=2)

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write(MEDIUM))
        await office.sender.wait_for(ActionType.REPLY)
        await desk.vote(VoteKind.REJECT)
        await run.result()

    assert len(office.replies()) == 1


async def test_customer_whose_ticket_goes_to_a_teammate_hears_it(environment: WorkflowEnvironment) -> None:
    office = Office(acknowledge_within_s=PROMISE_S)

    async with open_desk(environment, office) as desk:
        closed = await desk.run("Do you sell scissors?")

    assert [ACKNOWLEDGEMENT in text for text in office.replies()] == [True]
    assert "The customer was told that a person will answer" in office.notes()[0]
    assert closed.record.outcome is Outcome.HANDED_OVER


async def test_text_that_could_not_be_redacted_is_acknowledged_without_a_name(
    environment: WorkflowEnvironment,
) -> None:
    office = Office(acknowledge_within_s=PROMISE_S)
    office.redactor.trouble = [ChildDied()]

    async with open_desk(environment, office) as desk:
        await desk.run("Hello")

    assert [ACKNOWLEDGEMENT in text and NAME not in text for text in office.replies()] == [True]


async def test_acknowledgement_that_fails_keeps_no_handover_back(environment: WorkflowEnvironment) -> None:
    office = Office(acknowledge_within_s=PROMISE_S)
    office.sender.before = [DeliveryRefused(403)]

    async with open_desk(environment, office) as desk:
        closed = await desk.run("Do you sell scissors?")

    assert closed.record.outcome is Outcome.HANDED_OVER
    assert len(office.notes()) == 1


async def test_nothing_is_promised_in_assist_mode(environment: WorkflowEnvironment) -> None:
    office = Office(Mode.ASSIST, acknowledge_within_s=PROMISE_S)

    async with open_desk(environment, office) as desk:
        await desk.run("Do you sell scissors?")

    assert office.replies() == []


async def test_loop_is_not_fed_with_acknowledgements(environment: WorkflowEnvironment) -> None:
    office = Office(acknowledge_within_s=0, max_replies_per_hour=1)

    async with open_desk(environment, office) as desk:
        await desk.run("What are your opening hours?")
        await desk.run("What are your opening hours, again?")

    assert len(office.replies()) == 1
