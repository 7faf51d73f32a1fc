"""A move is told at its commit, to those who listen as `app`."""

import asyncio
from uuid import UUID

from adapters.policy.bundle import Level
from adapters.policy.published import published
from adapters.postgres.bootstrap import DatabaseUrls
from adapters.postgres.policy_moves import PolicyMoves
from adapters.postgres.policy_news import PolicyNews
from adapters.postgres.policy_register import Place, PolicyRegister
from tests.adapters.postgres.policies.publishing import BUNDLE, ORGANISATION_PLACE, in_force, limited


async def test_tenant_is_named_and_the_organisation_is_everybody(
    urls: DatabaseUrls, register: PolicyRegister, moves: PolicyMoves, place: Place
) -> None:
    told: asyncio.Queue[UUID | None] = asyncio.Queue()
    listening = asyncio.create_task(PolicyNews(urls.app).listen(told.put_nowait))
    strict = published(limited("1.00"), Level.ORGANISATION)

    async with asyncio.timeout(10):
        connected = await told.get()
        await in_force((register, moves), place, published(BUNDLE))
        tenant = await told.get()
        await in_force((register, moves), ORGANISATION_PLACE, strict)
        everybody = await told.get()

    assert (connected, tenant, everybody) == (None, place.tenant_id, None)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
