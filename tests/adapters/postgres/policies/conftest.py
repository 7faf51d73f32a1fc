"""A server of these tests alone: what the organisation says binds every tenant of a database."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from adapters.embedded.home import temporary_home
from adapters.embedded.postgres import PostgresServer, start_postgres
from adapters.keys import EnvelopeKeys
from adapters.postgres.bootstrap import DatabaseUrls, bootstrap
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.migrate import migrate
from adapters.postgres.policies import PolicyStore
from adapters.postgres.policy_moves import PolicyMoves
from adapters.postgres.policy_register import Place, PolicyRegister
from adapters.postgres.session import Database
from adapters.postgres.tenant_registry import TenantRegistry
from tests.conftest import MASTER_KEY, PASSWORDS


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with temporary_home() as home:
        server = start_postgres(home, None)
        yield server
        server.stop()


@pytest.fixture(scope="module")
async def urls(server: PostgresServer) -> DatabaseUrls:
    urls = await bootstrap(server.admin_url, PASSWORDS)
    await migrate(urls)
    return urls


@pytest.fixture(scope="module")
async def roles(urls: DatabaseUrls) -> AsyncIterator[tuple[Database, Database]]:
    """The owner and the app."""
    owner, app = Database(urls.owner), Database(urls.app)
    yield owner, app
    await owner.close()
    await app.close()


@pytest.fixture
async def own_registry(urls: DatabaseUrls, roles: tuple[Database, Database]) -> AsyncIterator[TenantRegistry]:
    keys = Database(urls.key_app)
    yield TenantRegistry(roles[0], EnvelopeKeys(PostgresKeyStore(keys), MASTER_KEY))
    await keys.close()


@pytest.fixture
def register(roles: tuple[Database, Database]) -> PolicyRegister:
    return PolicyRegister(roles[0])


@pytest.fixture
def moves(roles: tuple[Database, Database]) -> PolicyMoves:
    return PolicyMoves(roles[0])


@pytest.fixture
def store(roles: tuple[Database, Database]) -> PolicyStore:
    return PolicyStore(roles[1])


@pytest.fixture
def place() -> Place:
    return Place(uuid4())
