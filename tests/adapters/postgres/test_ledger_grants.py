"""Who may touch the ledger, and by which arrows an effect moves, whatever the code says."""

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError

from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.tables import approval_uses, approvals, effects
from domain.decision import Verdict
from domain.effect import EFFECT_ARROWS, EffectIntent, EffectState
from tests.adapters.postgres.story import Story, cleared
from tests.conftest import Databases


async def moved(story: Story, target: str, path: list[EffectState]) -> EffectIntent:
    """An effect in the last state of `path`, brought there by plain updates as `egress`."""
    intent = await story.intended(await story.decided(), target=target)
    for state in path:
        await set_state(story.databases, intent, state)
    return intent


async def set_state(databases: Databases, intent: EffectIntent, state: EffectState) -> None:
    async with databases.egress.transaction(intent.ticket.tenant_id) as session:
        await session.execute(update(effects).where(effects.c.id == intent.key).values(state=state))


def path_to(goal: EffectState) -> list[EffectState]:
    """The arrows from `intended` to `goal`."""
    paths: dict[EffectState, list[EffectState]] = {EffectState.INTENDED: []}
    while goal not in paths:
        paths |= {
            after: [*paths[before], after]
            for before, after in sorted(EFFECT_ARROWS)
            if before in paths and after not in paths
        }
    return paths[goal]


@pytest.mark.parametrize("before", EffectState)
async def test_only_the_drawn_arrows_exist(story: Story, before: EffectState) -> None:
    for after in set(EffectState) - {before}:
        intent = await moved(story, f"{before}-{after}", path_to(before))
        if (before, after) in EFFECT_ARROWS:
            await set_state(story.databases, intent, after)
            continue
        with pytest.raises(DBAPIError, match="cannot move"):
            await set_state(story.databases, intent, after)


@pytest.mark.parametrize("role", ["app", "door", "relay"])
async def test_only_egress_moves_an_effect(story: Story, role: str) -> None:
    intent = await story.allowed()

    with pytest.raises(DBAPIError, match="permission denied"):
        async with getattr(story.databases, role).transaction(story.ticket.tenant_id) as session:
            await session.execute(update(effects).where(effects.c.id == intent.key).values(state="claimed"))


async def test_nobody_but_egress_may_claim(story: Story) -> None:
    intent = await story.allowed()
    ledger = PostgresLedger(story.databases.app, story.databases.app)
    clearance = await cleared(story.databases, intent)

    with pytest.raises(DBAPIError, match="permission denied for function"):
        await ledger.claim(intent, clearance)


async def test_recording_cannot_claim(story: Story) -> None:
    intent = await story.allowed()

    with pytest.raises(DBAPIError, match="Only a claim claims"):
        await story.ledger.record(intent, EffectState.CLAIMED)


async def test_an_intent_cannot_name_its_state(story: Story) -> None:
    intent = await story.allowed()
    forged = {"tenant_id": story.ticket.tenant_id, "id": intent.key[::-1], "state": "confirmed"}

    with pytest.raises(DBAPIError, match="permission denied"):
        async with story.databases.app.transaction(story.ticket.tenant_id) as session:
            await session.execute(insert(effects).values(forged))


async def test_an_effect_keeps_what_it_is(story: Story) -> None:
    intent = await story.allowed()

    with pytest.raises(DBAPIError, match="An effect keeps what it is"):
        async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
            await session.execute(
                update(effects).where(effects.c.id == intent.key).values(digest="sha256:other")
            )


@pytest.mark.parametrize("role", ["app", "egress"])
async def test_a_use_is_never_taken_back(story: Story, role: str) -> None:
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.approved(decision)
    await story.claim(await story.intended(decision, approval=request.approval_id))

    with pytest.raises(DBAPIError, match="permission denied"):
        async with getattr(story.databases, role).transaction(story.ticket.tenant_id) as session:
            await session.execute(approval_uses.delete())
    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        uses = (await session.execute(select(func.count()).select_from(approval_uses))).scalar_one()
        status = (await session.execute(select(approvals.c.status, approvals.c.seal))).one()
    assert uses == 1
    assert status.status == "approved"
    assert status.seal.startswith("sha256:")
