"""Each path of a ticket, by what the outside saw."""

from temporalio.testing import WorkflowEnvironment

from domain.action import ActionType
from domain.approval import VoteKind
from domain.ticket import Outcome
from tests.office import NAME, Office
from tests.workflows.running import open_desk


async def test_question_is_answered_from_knowledge(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        closed = await desk.run("What are your opening hours?")

    assert closed.record.outcome is Outcome.ASSUMED
    assert office.replies() == [f"Hello {NAME},\n\nThe opening hours are nine to five.\n\nKind regards"]


async def test_medium_refund_waits_for_a_yes(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write("I want a refund for HB-1002"))
        await office.sender.wait_for(ActionType.SLACK_POST)
        await desk.vote(VoteKind.APPROVE)
        closed = await run.result()

    (refund,) = office.sender.sent(ActionType.REFUND)
    assert set(refund.record_ids.values()) == {"HB-1002", "pay-HB-1002"}
    assert closed.record.outcome is Outcome.ASSUMED
    assert "120.00 EUR" in office.replies()[0]
