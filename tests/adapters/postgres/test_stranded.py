"""Claims whose step is over become unknown; one that a live attempt may hold is never touched."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from adapters.postgres.session import Database
from adapters.postgres.stranded import STRANDED_AFTER, StrandedEffects
from adapters.postgres.tables import audit_events, effects
from domain.effect import EffectIntent, EffectState
from tests.adapters.postgres.story import Story, now
from workflows.activity_options import EFFECT


@pytest.fixture
def stranded(story: Story) -> StrandedEffects:
    return StrandedEffects(story.databases.relay, story.databases.egress)


async def _claimed(story: Story, claimed: timedelta, moved: timedelta) -> EffectIntent:
    """A claim whose clocks are put back."""
    intent = await story.allowed()
    await story.claim(intent)
    aged = update(effects).where(effects.c.tenant_id == intent.ticket.tenant_id, effects.c.id == intent.key)
    async with story.databases.egress.transaction(intent.ticket.tenant_id) as session:
        await session.execute(aged.values(claimed_at=now() - claimed, moved_at=now() - moved))
    return intent


async def _state(database: Database, intent: EffectIntent) -> str:
    query = select(effects.c.state).where(
        effects.c.tenant_id == intent.ticket.tenant_id, effects.c.id == intent.key
    )
    async with database.transaction(intent.ticket.tenant_id) as session:
        return str((await session.execute(query)).scalar_one())


async def _events(story: Story) -> list[str]:
    query = select(audit_events.c.kind).where(audit_events.c.tenant_id == story.ticket.tenant_id)
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        return list((await session.execute(query)).scalars())


async def test_an_old_claim_becomes_unknown_once_with_its_event(
    story: Story, stranded: StrandedEffects
) -> None:
    intent = await _claimed(story, timedelta(minutes=21), timedelta(minutes=21))

    await asyncio.gather(stranded.round(), stranded.round(), stranded.round())

    assert await _state(story.databases.app, intent) == EffectState.UNKNOWN
    assert (await _events(story)).count("effect_unknown") == 1


@pytest.mark.parametrize(("claimed", "moved"), [(0, 0), (19, 19), (60, 1), (1, 60)])
async def test_a_claim_that_may_be_alive_stays(
    story: Story, stranded: StrandedEffects, claimed: int, moved: int
) -> None:
    intent = await _claimed(story, timedelta(minutes=claimed), timedelta(minutes=moved))

    await stranded.round()

    assert await _state(story.databases.app, intent) == EffectState.CLAIMED
    assert "effect_unknown" not in await _events(story)


async def test_a_row_that_somebody_holds_is_left_to_them(story: Story, stranded: StrandedEffects) -> None:
    intent = await _claimed(story, timedelta(hours=1), timedelta(hours=1))
    mine = select(effects.c.id).where(effects.c.tenant_id == intent.ticket.tenant_id).with_for_update()

    async with story.databases.egress.transaction(intent.ticket.tenant_id) as session:
        await session.execute(mine)
        await stranded.round()

    assert await _state(story.databases.app, intent) == EffectState.CLAIMED


async def test_a_confirmed_effect_is_none_of_its_business(story: Story, stranded: StrandedEffects) -> None:
    intent = await _claimed(story, timedelta(hours=1), timedelta(hours=1))
    await story.ledger.record(intent, EffectState.FAILED)

    await stranded.round()

    assert await _state(story.databases.app, intent) == EffectState.FAILED


def test_no_attempt_lives_as_long_as_a_stranded_claim() -> None:
    assert EFFECT["schedule_to_close_timeout"] < STRANDED_AFTER


@pytest.mark.parametrize("column", ["proposed", "receipt_id", "ticket_id"])
async def test_the_relay_sees_nothing_else_of_an_effect(story: Story, column: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with story.databases.relay.across_tenants() as session:
            await session.execute(select(effects.c[column]))
