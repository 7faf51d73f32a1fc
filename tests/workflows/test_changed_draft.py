"""A teammate puts other words to a question that waits: it is superseded, decided and asked anew."""

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain.action import ActionType
from domain.approval import ApprovalStatus, ChangeDraft, VoteKind, VoteRefusal
from domain.model import ApprovalId
from domain.ports import ArtifactKind
from tests.office import TICKET, Office
from tests.workflows.running import Desk, open_desk
from workflows.messages import TicketClosed
from workflows.ticket import TicketWorkflow

MEDIUM = "refund HB-1002"
OTHER_APPROVAL = "apr_" + "1" * 32
Run = WorkflowHandle[TicketWorkflow, TicketClosed]


async def waiting(desk: Desk) -> Run:
    run = await desk.start(desk.office.write(MEDIUM))
    await desk.office.sender.wait_for(ActionType.SLACK_POST)
    return run


async def change(desk: Desk, run: Run, words: str, approval: ApprovalId | None = None, *groups: str) -> None:
    text = await desk.office.artifacts.put(TICKET, ArtifactKind.DRAFT, words.encode())
    order = ChangeDraft(
        ticket=TICKET,
        approval_id=approval or desk.approval_id(),
        text=text,
        eligibility=await desk.eligibility("3", *groups),
    )
    await run.execute_update(TicketWorkflow.change_draft, order)


async def test_changed_draft_supersedes_the_question_and_is_what_is_sent(
    environment: WorkflowEnvironment,
) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        await change(desk, run, "We are very sorry. You get your money back.")
        await office.sender.wait_for(ActionType.SLACK_POST, 2)
        assert await desk.vote(VoteKind.APPROVE) is ApprovalStatus.APPROVED
        await run.result()

    assert [kept.status for kept in office.approvals.kept.values()] == ["superseded", "approved"]
    assert office.replies() == ["We are very sorry. You get your money back."]
    assert len(office.sender.sent(ActionType.REFUND)) == 1
    assert "We are very sorry" in office.sender.sent(ActionType.SLACK_POST)[1].text


async def test_vote_on_a_superseded_question_is_refused(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        old = await desk.ballot(VoteKind.APPROVE)
        await change(desk, run, "Other words")
        await office.sender.wait_for(ActionType.SLACK_POST, 2)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await desk.approval().execute_update("vote", old)
        await desk.vote(VoteKind.REJECT)
        await run.result()

    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == VoteRefusal.CARD_CHANGED
    assert office.sender.sent(ActionType.REFUND) == []


@pytest.mark.parametrize(
    ("approval", "groups", "why"),
    [
        (OTHER_APPROVAL, (), VoteRefusal.NOT_PENDING),
        (None, ("strangers",), VoteRefusal.NOT_ELIGIBLE),
    ],
)
async def test_words_that_do_not_count_are_refused(
    environment: WorkflowEnvironment, approval: ApprovalId | None, groups: tuple[str, ...], why: VoteRefusal
) -> None:
    async with open_desk(environment, Office()) as desk:
        run = await waiting(desk)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await change(desk, run, "Other words", approval, *groups)
        await desk.vote(VoteKind.REJECT)
        await run.result()

    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == why
