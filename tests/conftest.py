"""One embedded Postgres per test session, with roles, schema and tenants made as in production.

Tests never roll back or clean up after themselves: each works for a tenant of its own.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]  # it has no types
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has none

from adapters.embedded.home import temporary_home
from adapters.embedded.postgres import PostgresServer, start_postgres
from adapters.keys import DoorKeys, EnvelopeKeys
from adapters.postgres.bootstrap import ROLES, DatabaseUrls, bootstrap
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.migrate import migrate
from adapters.postgres.session import Database
from adapters.postgres.tenant_registry import TenantRegistry
from domain.ports import TenantConfiguration
from domain.ticket import Mode, TenantSettings, TicketRef
from domain.triage import Taxonomy

MASTER_KEY = bytes(range(32))
PASSWORDS = {role: f"invented % pass/word of {role}" for role in ROLES}


@dataclass(frozen=True)
class Databases:
    """One pool per role, as the processes have them."""

    owner: Database
    door: Database
    app: Database
    egress: Database
    relay: Database
    codec: Database
    sealer: Database
    keys_owner: Database
    key_door: Database
    key_app: Database
    key_codec: Database


# Tests that need the machine for themselves: whole systems, and servers that skip time while nothing happens.
ALONE = (
    "tests/crash/",
    "tests/end_to_end/",
    "tests/workflows/",
    "tests/cli/test_up.py",
    "tests/cli/test_processes.py",
)


class OneSystemAtATime(LoadScopeScheduling):  # type: ignore[misc]  # untyped
    """Two processes: those tests in one, in their order; all others beside them, by file."""

    def _split_scope(self, nodeid: str) -> str:
        return "alone" if nodeid.startswith(ALONE) else nodeid.split("::", 1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneSystemAtATime:
    """Asked for only with `--numprocesses`."""
    config.option.loadscopereorder = False
    return OneSystemAtATime(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest chain first."""
    items.sort(key=lambda item: not item.nodeid.startswith(ALONE))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with temporary_home() as home:
        server = start_postgres(home, None)
        yield server
        server.stop()


@pytest.fixture(scope="session")
async def database_urls(postgres: PostgresServer) -> DatabaseUrls:
    urls = await bootstrap(postgres.admin_url, PASSWORDS)
    await migrate(urls)
    return urls


@pytest.fixture(scope="session")
async def databases(database_urls: DatabaseUrls) -> AsyncIterator[Databases]:
    pools = {role: Database(getattr(database_urls, role), pool_size=4) for role in ROLES}
    yield Databases(**pools)
    for pool in pools.values():
        await pool.close()


@pytest.fixture
def keys(databases: Databases) -> EnvelopeKeys:
    return EnvelopeKeys(PostgresKeyStore(databases.key_app), MASTER_KEY)


@pytest.fixture
def door_keys(databases: Databases) -> DoorKeys:
    return DoorKeys(PostgresKeyStore(databases.key_door), MASTER_KEY)


@pytest.fixture
def registry(databases: Databases, keys: EnvelopeKeys) -> TenantRegistry:
    return TenantRegistry(databases.owner, keys)


def a_configuration(tenant_id: UUID, mode: Mode = Mode.AUTOMATE) -> TenantConfiguration:
    return TenantConfiguration(
        tenant_id=tenant_id,
        name=f"tenant_{tenant_id.hex[:12]}",
        settings=TenantSettings(mode=mode),
        taxonomy=Taxonomy(intents=()),
    )


async def a_tenant(registry: TenantRegistry, mode: Mode = Mode.AUTOMATE) -> UUID:
    tenant_id = uuid4()
    await registry.put_tenant(a_configuration(tenant_id, mode))
    return tenant_id


@pytest.fixture
async def tenant_id(registry: TenantRegistry) -> UUID:
    return await a_tenant(registry)


@pytest.fixture
def ticket(tenant_id: UUID) -> TicketRef:
    return TicketRef(tenant_id=tenant_id, route=uuid4().hex)
