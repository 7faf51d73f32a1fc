"""Questions that are put again: the same one while it waits, never one that has ended."""

import pytest

from domain.approval import ApprovalStatus
from domain.decision import Verdict
from domain.errors import ApprovalEnded
from tests.adapters.postgres.story import Story


async def test_a_waiting_question_may_be_kept_again(story: Story) -> None:
    decision = await story.decided(Verdict.APPROVAL_NEEDED)

    assert await story.asked(decision) == await story.asked(decision)


@pytest.mark.parametrize("ended", [ApprovalStatus.CANCELLED, ApprovalStatus.APPROVED, ApprovalStatus.EXPIRED])
async def test_an_ended_question_is_not_asked_again(story: Story, ended: ApprovalStatus) -> None:
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.asked(decision)
    await story.approvals.close(story.ticket, request.approval_id, ended)

    with pytest.raises(ApprovalEnded):
        await story.asked(decision)
