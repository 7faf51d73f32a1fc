"""The claim holds the newest decision, and what a given approval is worth under it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from adapters.postgres.tables import effects
from domain.approval import ApprovalStatus
from domain.decision import Obligations, PolicyDecision, Rung, Verdict
from domain.effect import Clearance, EffectIntent, EffectState, Refusal
from tests.adapters.postgres.story import GROUP, Story, cleared

LEADS = "shift_leads"


async def approved_refund(story: Story, *groups: str, voters: int = 1) -> EffectIntent:
    """Planned as needing approval, and approved by this many of these groups."""
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.asked(decision)
    for _ in range(voters):
        await story.voted(request, await story.approver(*groups))
    await story.approvals.close(story.ticket, request.approval_id, ApprovalStatus.APPROVED)
    return await story.intended(decision, approval=request.approval_id)


def demands(**terms: Any) -> dict[str, Any]:
    return {"verdict": Verdict.APPROVAL_NEEDED, "obligations": Obligations(**terms)}


async def end(story: Story, intent: EffectIntent, **gate: Any) -> tuple[EffectState, Refusal | None]:
    row = await story.ledger.claim(intent, await cleared(story.databases, intent, **gate))
    return row.state, row.refusal


CLAIMED = (EffectState.CLAIMED, None)


async def test_the_ledger_says_which_decision_let_an_effect_out(story: Story) -> None:
    intent = await story.allowed()
    clearance = await cleared(story.databases, intent)

    await story.ledger.claim(intent, clearance)

    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        row = (await session.execute(select(effects).where(effects.c.id == intent.key))).mappings().one()
    assert (row["decision_id"], row["let_out_by"]) == (intent.decision_id, clearance.decision_id)


async def test_a_claim_without_a_decision_of_its_own_is_withdrawn(story: Story) -> None:
    """The plan's decision is not enough: it is not about this very effect, and not of now."""
    intent = await story.allowed()

    row = await story.ledger.claim(intent, Clearance(intent.decision_id))

    assert (row.state, row.refusal) == (EffectState.WITHDRAWN, Refusal.NOT_ALLOWED)


async def test_a_decision_about_another_effect_does_not_let_this_one_out(story: Story) -> None:
    intent = await story.allowed()
    other = await story.intended(await story.decided(), target="other")
    clearance = await cleared(story.databases, other)

    row = await story.ledger.claim(intent, clearance)

    assert (row.state, row.refusal) == (EffectState.WITHDRAWN, Refusal.NOT_ALLOWED)


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ({"verdict": Verdict.ALLOW}, CLAIMED),
        ({"verdict": Verdict.SANITIZE}, CLAIMED),
        ({"verdict": Verdict.DENY}, (EffectState.WITHDRAWN, Refusal.NOT_ALLOWED)),
        (demands(approver_groups=(GROUP,)), (EffectState.WITHDRAWN, Refusal.APPROVAL_NOW_NEEDED)),
    ],
)
async def test_what_was_allowed_without_people_is_held_to_the_newest_policy(
    story: Story, gate: dict[str, Any], expected: tuple[EffectState, Refusal | None]
) -> None:
    assert await end(story, await story.allowed(), **gate) == expected


FALLS_SHORT = (EffectState.WITHDRAWN, Refusal.APPROVAL_FALLS_SHORT)


@pytest.mark.parametrize(
    ("voters", "gate", "expected"),
    [
        (1, demands(approver_groups=(GROUP,)), CLAIMED),
        (1, demands(approver_groups=(GROUP, LEADS)), CLAIMED),
        (1, demands(), CLAIMED),
        (1, {"verdict": Verdict.ALLOW}, CLAIMED),
        (1, demands(approver_groups=(LEADS,)), FALLS_SHORT),
        (1, demands(approver_groups=(GROUP,), quorum=2), FALLS_SHORT),
        (2, demands(approver_groups=(GROUP,), quorum=2), CLAIMED),
        (1, {"verdict": Verdict.DENY}, (EffectState.WITHDRAWN, Refusal.NOT_ALLOWED)),
    ],
)
async def test_a_given_approval_must_satisfy_what_the_newest_policy_demands(
    story: Story, voters: int, gate: dict[str, Any], expected: tuple[EffectState, Refusal | None]
) -> None:
    intent = await approved_refund(story, voters=voters)

    assert await end(story, intent, **gate) == expected


@pytest.mark.parametrize(("asked_ago", "expected"), [(3600, CLAIMED), (60, FALLS_SHORT)])
async def test_a_group_of_a_later_rung_counts_from_its_time_on(
    story: Story, asked_ago: int, expected: tuple[EffectState, Refusal | None]
) -> None:
    intent = await approved_refund(story)
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        await session.execute(text("alter table countersign.approvals disable trigger close_once"))
        await session.execute(
            text("update countersign.approvals set requested_at = requested_at - :ago where id = :id"),
            {"ago": timedelta(seconds=asked_ago), "id": intent.approval_id},
        )
        await session.execute(text("alter table countersign.approvals enable trigger close_once"))
    ladder = (Rung(after_s=1800, approver_groups=(GROUP,)),)

    assert await end(story, intent, **demands(approver_groups=(LEADS,), ladder=ladder)) == expected


@pytest.mark.parametrize(
    ("planned", "refusal"),
    [(Verdict.DENY, Refusal.NOT_ALLOWED), (Verdict.APPROVAL_NEEDED, Refusal.APPROVAL_MISSING)],
)
async def test_the_plans_decision_still_has_to_allow_it(
    story: Story, planned: Verdict, refusal: Refusal
) -> None:
    """A milder policy, published after the plan, changes nothing."""
    intent = await story.intended(await story.decided(planned))

    assert await end(story, intent, verdict=Verdict.ALLOW) == (EffectState.WITHDRAWN, refusal)


async def test_a_claimed_effect_is_held_to_the_newest_policy_before_it_is_sent_again(story: Story) -> None:
    intent = await story.allowed()
    await story.claim(intent)
    denied = await cleared(story.databases, intent, verdict=Verdict.DENY, decision_id="dec_" + "9" * 40)

    assert await story.ledger.recheck(intent, denied, sends=True) is Refusal.NOT_ALLOWED
    assert await story.recheck(intent, sends=True) is None


async def test_a_decision_is_read_with_its_input_for_its_own_ticket_only(story: Story) -> None:
    decision = await story.decided()
    elsewhere = story.ticket.model_copy(update={"route": "f" * 32})

    found = await story.decisions.decided(story.ticket, decision.decision_id)

    assert found is not None
    assert isinstance(found[0], PolicyDecision)
    assert found[1].ticket_id == story.ticket.ticket_id
    assert await story.decisions.decided(elsewhere, decision.decision_id) is None


@pytest.mark.parametrize("function", ["claim_effect", "recheck_effect"])
async def test_there_is_one_way_to_claim_and_it_asks_for_the_newest_decision(
    story: Story, function: str
) -> None:
    query = text("select pg_get_function_identity_arguments(oid) from pg_proc where proname = :name")

    async with story.databases.egress.transaction(story.ticket.tenant_id) as session:
        found = (await session.execute(query, {"name": function})).scalars().all()

    assert len(found) == 1
    assert "p_gate text" in found[0]
