"""An installation with policies of the previous release decides and exports as before."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from alembic import command
from sqlalchemy import text

from adapters.active_policies import ActivePolicies
from adapters.embedded.postgres import PostgresServer
from adapters.policy.bundle import Level
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.published import published
from adapters.policy.tables import pack
from adapters.postgres.bootstrap import DatabaseUrls, bootstrap
from adapters.postgres.migrate import MAIN, alembic_config, migrate
from adapters.postgres.policies import PolicyStore
from adapters.postgres.policy_moves import Movers, PolicyMoves
from adapters.postgres.policy_register import Place, PolicyRegister, Publication
from adapters.postgres.session import Database
from domain.decision import Verdict
from tests.adapters.policy_inputs import as_input, refund
from tests.conftest import PASSWORDS

DEVELOPMENT = Movers(development=True)
BEFORE = "count_what_left"
BUNDLE = parse(pack("support_default").read_text())
POLICY = alone(BUNDLE)
FIRST_RELEASE = "sha256:" + "f" * 64  # named other than its content
FIRST_CONTENT = '{"bundle":{"schema_version":1}}'
TENANTS = [uuid4(), uuid4()]


@pytest.fixture(scope="module")
async def upgraded(server: PostgresServer) -> AsyncIterator[DatabaseUrls]:
    """Rows of two tenants, then the upgrade."""
    urls = await bootstrap(server.admin_url, PASSWORDS)
    await asyncio.to_thread(command.upgrade, alembic_config(MAIN, urls.owner), BEFORE)
    owner = Database(urls.owner)
    for tenant_id in TENANTS:
        async with owner.transaction(tenant_id) as session:
            for version, content in ((POLICY.version, POLICY.content), (FIRST_RELEASE, FIRST_CONTENT)):
                row = {"tenant": tenant_id, "id": version, "content": content}
                await session.execute(
                    text(
                        "insert into policy_versions (tenant_id, id, content) values (:tenant, :id, :content)"
                    ),
                    row,
                )
            pointer = (
                "insert into policy_pointers (tenant_id, kind, version_id) values (:tenant, 'active', :id)"
            )
            await session.execute(text(pointer), {"tenant": tenant_id, "id": POLICY.version})
    await migrate(urls)
    yield urls
    await owner.close()


@pytest.mark.parametrize("tenant", TENANTS)
async def test_policy_in_force_stays_and_old_decisions_find_theirs(
    upgraded: DatabaseUrls, tenant: UUID
) -> None:
    app = Database(upgraded.app)
    store = PolicyStore(app)

    engine = await ActivePolicies(store).active(tenant)
    kept = [await store.content(tenant, version) for version in (POLICY.version, FIRST_RELEASE)]

    assert engine.version == POLICY.version
    assert engine.decide(as_input(refund(4000))).verdict is Verdict.ALLOW
    assert kept == [POLICY.content, FIRST_CONTENT]
    await app.close()


async def test_what_an_earlier_release_published_has_no_known_author_and_can_be_replaced(
    upgraded: DatabaseUrls,
) -> None:
    owner, place = Database(upgraded.owner), Place(TENANTS[0])
    register = PolicyRegister(owner)
    before = await register.find(place, POLICY.version)

    await register.publish(place, published(BUNDLE), Publication("principal_1"))
    await PolicyMoves(owner).activate(place, published(BUNDLE).version, DEVELOPMENT)

    assert (before.level, before.publication.author, before.kinds) == (Level.TENANT, None, ("active",))
    after = await register.find(place, published(BUNDLE).version)
    assert (after.replaces, after.diff, after.kinds) == (POLICY.version, "", ("active",))
    await owner.close()
