"""The fence: what may be claimed, and only once."""

import asyncio
from datetime import timedelta
from time import monotonic

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from adapters.postgres.freezes import EVERY_TENANT, Freezes
from adapters.postgres.ledger import CLAIM, claim_arguments
from adapters.postgres.tables import principals
from adapters.postgres.tenant_registry import TenantRegistry
from domain.action import ActionType, PrivateNote, ProposedAction
from domain.decision import Verdict
from domain.effect import EffectIntent, EffectState, Receipt, Refusal
from domain.errors import EffectConflict
from domain.handoff import HandoffReason
from domain.ticket import Mode
from tests.adapters.postgres.story import Story, a_refund, cleared, now
from tests.conftest import a_configuration


async def claimed(story: Story, intent: EffectIntent) -> tuple[EffectState, Refusal | None]:
    row = await story.claim(intent)
    return row.state, row.refusal


def withdrawn(refusal: Refusal) -> tuple[EffectState, Refusal]:
    return EffectState.WITHDRAWN, refusal


async def test_an_allowed_effect_is_claimed_sent_and_confirmed(story: Story) -> None:
    intent = await story.allowed()
    receipt = Receipt(external_id="re_1", received_at=now())

    row = await story.claim(intent)
    await story.ledger.record(intent, EffectState.SENT, receipt)
    confirmed = await story.ledger.record(intent, EffectState.CONFIRMED)

    assert (row.state, row.claimed_at is not None, row.taken_before) == (EffectState.CLAIMED, True, False)
    assert (confirmed.state, confirmed.receipt) == (EffectState.CONFIRMED, receipt)
    assert await story.ledger.receipt(story.ticket, intent.key) == receipt


async def test_an_intent_is_kept_once(story: Story) -> None:
    intent = await story.allowed()
    await story.claim(intent)

    assert (await story.ledger.intend(intent)).state is EffectState.CLAIMED


async def test_the_same_key_with_other_arguments_is_a_conflict(story: Story) -> None:
    intent = await story.allowed()
    changed = intent.model_copy(update={"proposed": a_refund(minor_units=99999)})
    await story.decided(proposed=changed.proposed)

    for step in (story.ledger.intend, story.claim):
        with pytest.raises(EffectConflict):
            await step(changed)
    assert (await story.ledger.intend(intent)).state is EffectState.INTENDED


async def test_a_second_claim_learns_that_the_effect_is_taken(story: Story) -> None:
    intent = await story.allowed()

    rows = await asyncio.gather(*(story.claim(intent) for _ in range(4)))

    assert sorted(row.taken_before for row in rows) == [False, True, True, True]
    assert {row.state for row in rows} == {EffectState.CLAIMED}


async def test_a_claim_that_waited_for_another_learns_that_the_effect_is_taken(story: Story) -> None:
    intent = await story.allowed()

    async with story.databases.egress.transaction(story.ticket.tenant_id) as other:
        await other.execute(CLAIM, claim_arguments(intent, await cleared(story.databases, intent)))
        waiting = asyncio.create_task(story.claim(intent))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done

    assert (await waiting).taken_before


async def test_recording_twice_changes_nothing(story: Story) -> None:
    intent = await story.allowed()
    await story.claim(intent)
    receipt = Receipt(external_id="re_1", received_at=now())
    await story.ledger.record(intent, EffectState.SENT, receipt)

    again = await story.ledger.record(intent, EffectState.SENT)

    assert (again.state, again.receipt) == (EffectState.SENT, receipt)


async def test_an_effect_that_was_never_intended_is_not_claimed(story: Story) -> None:
    intent = await story.allowed()

    with pytest.raises(DBAPIError, match="never intended"):
        await story.claim(intent.model_copy(update={"key": "eff_" + "0" * 40}))


# --- refusals --------------------------------------------------------------------------------------


async def test_after_a_handover_nothing_intended_before_leaves(story: Story) -> None:
    intent = await story.allowed()
    await story.tickets.hand_over(story.ticket, HandoffReason.ASKED_FOR_HUMAN)

    assert await claimed(story, intent) == withdrawn(Refusal.OWNER_CHANGED)


@pytest.mark.parametrize(
    ("owner_epoch", "end"),
    [(0, withdrawn(Refusal.OWNER_CHANGED)), (1, (EffectState.CLAIMED, None))],
)
async def test_a_note_leaves_in_the_teammates_epoch_only(
    story: Story, owner_epoch: int, end: tuple[EffectState, Refusal | None]
) -> None:
    note = ProposedAction(ordinal=0, action=PrivateNote(text="bundle_" + "e" * 64))
    await story.tickets.open(story.ticket, "1001", "generic")
    await story.tickets.hand_over(story.ticket, HandoffReason.ASKED_FOR_HUMAN)
    decision = await story.decided(proposed=note)

    intent = await story.intended(decision, note, owner_epoch=owner_epoch)

    assert await claimed(story, intent) == end


async def test_no_money_leaves_on_a_teammates_ticket_even_in_its_epoch(story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    epoch = await story.tickets.hand_over(story.ticket, HandoffReason.ASKED_FOR_HUMAN)
    intent = await story.intended(await story.decided(), owner_epoch=epoch)

    assert await claimed(story, intent) == withdrawn(Refusal.OWNER_CHANGED)


async def test_an_observing_tenant_does_nothing(story: Story, registry: TenantRegistry) -> None:
    intent = await story.allowed()
    await registry.put_tenant(a_configuration(story.ticket.tenant_id, Mode.OBSERVE))

    assert await claimed(story, intent) == withdrawn(Refusal.OBSERVE_MODE)


@pytest.mark.parametrize("scope", [None, ActionType.REFUND])
async def test_a_frozen_effect_is_withdrawn(story: Story, scope: ActionType | None) -> None:
    intent = await story.allowed()
    await Freezes(story.databases.app).freeze(story.ticket.tenant_id, scope, "incident")

    assert await claimed(story, intent) == withdrawn(Refusal.FROZEN)


async def test_a_freeze_of_all_tenants_holds_until_it_is_lifted(story: Story) -> None:
    freezes = Freezes(story.databases.app)
    first = await story.allowed()
    second = await story.intended(await story.decided(), target="other")

    await freezes.freeze(EVERY_TENANT, ActionType.REFUND, "incident")
    frozen = await claimed(story, first)
    await freezes.lift(EVERY_TENANT, ActionType.REFUND)

    assert frozen == withdrawn(Refusal.FROZEN)
    assert await claimed(story, second) == (EffectState.CLAIMED, None)


async def test_a_freeze_of_another_action_does_not_matter(story: Story) -> None:
    intent = await story.allowed()
    await Freezes(story.databases.app).freeze(story.ticket.tenant_id, ActionType.REPLY, "incident")

    assert await claimed(story, intent) == (EffectState.CLAIMED, None)


async def test_an_effect_that_may_not_leave_is_withdrawn(story: Story) -> None:
    intent = await story.intended(await story.decided(Verdict.DENY))

    assert await claimed(story, intent) == withdrawn(Refusal.NOT_ALLOWED)


async def test_a_decision_about_another_action_does_not_count(story: Story) -> None:
    decision = await story.decided(proposed=a_refund(minor_units=100))
    intent = await story.intended(decision, a_refund(minor_units=100_00))

    assert await claimed(story, intent) == withdrawn(Refusal.NOT_ALLOWED)


async def test_without_an_approval_that_policy_asks_for_nothing_leaves(story: Story) -> None:
    intent = await story.intended(await story.decided(Verdict.APPROVAL_NEEDED))

    assert await claimed(story, intent) == withdrawn(Refusal.APPROVAL_MISSING)


async def test_an_approved_effect_is_claimed_and_the_approval_used(story: Story) -> None:
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.approved(decision)
    intent = await story.intended(decision, approval=request.approval_id)

    assert await claimed(story, intent) == (EffectState.CLAIMED, None)
    # Its own use is no obstacle to sending again.
    assert await story.recheck(intent, sends=True) is None


async def test_an_approval_is_used_once(story: Story) -> None:
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.approved(decision)
    intents = [
        await story.intended(decision, approval=request.approval_id, target=target) for target in "abcd"
    ]

    ends = await asyncio.gather(*(claimed(story, intent) for intent in intents))

    assert sorted(ends, key=str) == sorted(
        [(EffectState.CLAIMED, None), *3 * [withdrawn(Refusal.APPROVAL_USED)]], key=str
    )


async def test_a_pending_approval_is_no_approval(story: Story) -> None:
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.asked(decision)
    await story.voted(request, await story.approver())
    intent = await story.intended(decision, approval=request.approval_id)

    assert await claimed(story, intent) == withdrawn(Refusal.APPROVAL_MISSING)


async def test_an_approval_of_other_arguments_does_not_count(story: Story) -> None:
    dearer = a_refund(minor_units=49900)
    request = await story.approved(await story.decided(Verdict.APPROVAL_NEEDED))
    decision = await story.decided(Verdict.APPROVAL_NEEDED, dearer)
    intent = await story.intended(decision, dearer, request.approval_id)

    assert await claimed(story, intent) == withdrawn(Refusal.APPROVAL_DIFFERS)


async def test_an_approval_of_an_earlier_decision_does_not_count(story: Story) -> None:
    request = await story.approved(await story.decided(Verdict.APPROVAL_NEEDED))
    intent = await story.intended(
        await story.decided(Verdict.APPROVAL_NEEDED, turn=1), approval=request.approval_id
    )

    assert await claimed(story, intent) == withdrawn(Refusal.APPROVAL_DIFFERS)


async def test_an_expired_approval_does_not_count(story: Story) -> None:
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.approved(decision, expires_in=-timedelta(seconds=1))
    intent = await story.intended(decision, approval=request.approval_id)

    assert await claimed(story, intent) == withdrawn(Refusal.APPROVAL_EXPIRED)


async def test_a_voter_who_lost_the_group_no_longer_counts(story: Story) -> None:
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.approved(decision)
    intent = await story.intended(decision, approval=request.approval_id)
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        await session.execute(update(principals).values(groups=["engineering"]))

    assert await claimed(story, intent) == withdrawn(Refusal.APPROVAL_MISSING)


async def test_recheck_sees_what_changed_since_the_claim(story: Story) -> None:
    intent = await story.allowed()
    await story.claim(intent)
    await story.tickets.hand_over(story.ticket, HandoffReason.ERROR)

    assert await story.recheck(intent, sends=True) is Refusal.OWNER_CHANGED


async def test_the_row_remembers_when_a_request_may_have_left_last(story: Story) -> None:
    intent = await story.allowed()
    await story.claim(intent)
    claimed_at = (await story.ledger.intend(intent)).tried_at

    await story.recheck(intent, sends=False)
    looked_at = (await story.ledger.intend(intent)).tried_at
    await story.recheck(intent, sends=True)
    sent_again_at = (await story.ledger.intend(intent)).tried_at

    assert claimed_at is not None
    assert sent_again_at is not None
    assert looked_at == claimed_at < sent_again_at


async def test_the_row_keeps_why_it_was_withdrawn_before_its_claim(story: Story) -> None:
    intent = await story.allowed()

    await story.ledger.record(intent, EffectState.WITHDRAWN, refusal=Refusal.FACTS_CHANGED)

    assert (await story.ledger.intend(intent)).refusal is Refusal.FACTS_CHANGED


# --- races -----------------------------------------------------------------------------------------


async def test_no_claim_succeeds_after_a_committed_handover(story: Story) -> None:
    decision = await story.decided()
    intents = [await story.intended(decision, target=str(number)) for number in range(24)]

    committed: list[float] = []

    async def hand_over() -> None:
        await story.tickets.hand_over(story.ticket, HandoffReason.ASKED_FOR_HUMAN)
        committed.append(monotonic())

    async def claim(intent: EffectIntent) -> tuple[float, EffectState]:
        begun = monotonic()
        return begun, (await story.claim(intent)).state

    early = [asyncio.create_task(claim(intent)) for intent in intents[:12]]
    handover = asyncio.create_task(hand_over())
    claims = await asyncio.gather(*early, *(claim(intent) for intent in intents[12:]))
    await handover

    assert not [begun for begun, state in claims if begun > committed[0] and state is EffectState.CLAIMED]
    late = await story.intended(decision, target="late")
    assert await claimed(story, late) == withdrawn(Refusal.OWNER_CHANGED)


async def test_a_claim_that_waited_for_a_handover_sees_it(story: Story) -> None:
    intent = await story.allowed()
    lock = text("select pg_advisory_xact_lock(ticket_lock(:tenant, :ticket))")
    values = {"tenant": story.ticket.tenant_id, "ticket": story.ticket.ticket_id}
    taken = text("update tickets set owner = 'teammate', owner_epoch = 1 where id = :ticket")

    async with story.databases.app.transaction(story.ticket.tenant_id) as teammate:
        await teammate.execute(lock, values)
        waiting = asyncio.create_task(claimed(story, intent))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        await teammate.execute(taken, {"ticket": story.ticket.ticket_id})

    assert await waiting == withdrawn(Refusal.OWNER_CHANGED)


async def test_a_claim_waits_even_for_whoever_forgets_the_lock(story: Story) -> None:
    intent = await story.allowed()
    taken = text("update tickets set owner = 'teammate', owner_epoch = 1 where id = :ticket")

    async with story.databases.app.transaction(story.ticket.tenant_id) as teammate:
        await teammate.execute(taken, {"ticket": story.ticket.ticket_id})
        waiting = asyncio.create_task(claimed(story, intent))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done

    assert await waiting == withdrawn(Refusal.OWNER_CHANGED)
