"""Questions that are put again: the same one while it waits, never one that has ended."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from adapters.postgres.tables import audit_events
from domain.approval import ApprovalRequest, ApprovalStatus
from domain.decision import Verdict
from domain.errors import ApprovalEnded
from tests.adapters.postgres.story import Story, now


async def test_a_waiting_question_may_be_kept_again(story: Story) -> None:
    decision = await story.decided(Verdict.APPROVAL_NEEDED)

    assert await story.asked(decision) == await story.asked(decision)


@pytest.mark.parametrize("ended", sorted(set(ApprovalStatus) - {ApprovalStatus.PENDING}))
async def test_an_ended_question_is_not_asked_again(story: Story, ended: ApprovalStatus) -> None:
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.asked(decision)
    await story.approvals.close(story.ticket, request.approval_id, ended)

    with pytest.raises(ApprovalEnded):
        await story.asked(decision)


async def test_who_put_other_words_to_a_question_is_in_the_audit_trail_once(story: Story) -> None:
    asked = await story.asked(await story.decided(Verdict.APPROVAL_NEEDED))
    by = await story.approver()
    changed = ApprovalRequest.model_validate(
        asked.model_dump() | {"approval_id": "apr_" + 32 * "2", "revision": 2, "changed_by": by}
    )

    for _ in range(2):
        await story.approvals.request(changed, now() + timedelta(hours=1))

    told = select(audit_events.c.content).where(
        audit_events.c.tenant_id == story.ticket.tenant_id, audit_events.c.kind == "draft_changed"
    )
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        [content] = (await session.execute(told)).scalars()
    assert (content["approval"], content["by"], content["revision"]) == (changed.approval_id, by, 2)
