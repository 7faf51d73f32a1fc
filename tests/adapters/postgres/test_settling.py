"""A person's word ends what was unknown, once, and nothing else."""

from uuid import uuid4

import pytest
from sqlalchemy import func, select

from adapters.postgres.settling import settle
from adapters.postgres.tables import audit_events
from domain.effect import EffectState, Finding
from tests.adapters.postgres.story import Story

WHO = "principal_" + 24 * "7"


async def _told(story: Story) -> int:
    query = select(func.count()).where(
        audit_events.c.tenant_id == story.ticket.tenant_id, audit_events.c.kind == "effect_settled"
    )
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        return int((await session.execute(query)).scalar_one())


async def test_an_unknown_effect_is_settled_once(story: Story) -> None:
    intent = await story.allowed()
    await story.claim(intent)
    await story.ledger.record(intent, EffectState.UNKNOWN)

    seen = [
        await settle(story.databases.egress, story.ticket.tenant_id, intent.key, WHO, Finding.NOT_THERE)
        for _ in range(2)
    ]

    assert seen == [EffectState.UNKNOWN, EffectState.SETTLED]
    assert await _told(story) == 1
    query = select(audit_events.c.content).where(audit_events.c.kind == "effect_looked_up")
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        looked = (await session.execute(query)).scalars().all()
    assert looked == [{"effect": intent.key, "principal": WHO, "finding": "not_there"}]


async def test_what_may_still_be_sent_is_not_settled(story: Story) -> None:
    intent = await story.allowed()
    await story.claim(intent)

    seen = await settle(story.databases.egress, story.ticket.tenant_id, intent.key, WHO, Finding.NOT_THERE)

    assert seen is EffectState.CLAIMED
    assert (await story.ledger.intend(intent)).state is EffectState.CLAIMED


@pytest.mark.parametrize("theirs", [True, False])
async def test_neither_another_tenants_effect_nor_none_is_found(story: Story, *, theirs: bool) -> None:
    intent = await story.allowed()
    tenant = uuid4() if theirs else story.ticket.tenant_id
    key = intent.key if theirs else "0" * 64

    assert await settle(story.databases.egress, tenant, key, WHO, Finding.NOT_THERE) is None
    assert await _told(story) == 0
