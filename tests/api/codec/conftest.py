"""The codec server over the real databases, called in this process."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from adapters.codec_keys import CodecKeys
from adapters.keys import EnvelopeKeys
from adapters.postgres.codec import DecodeRecords, PostgresTenantKeyRows, TokenHolders
from adapters.postgres.tenant_registry import TenantRegistry
from api.codec.allowance import Allowance
from api.codec.app import create_codec
from api.codec.operators import Operators
from api.codec.ports import CodecParts
from api.codec.sessions import Sessions
from tests.api.codec.story import SHARED_TOKEN, UI, Asking, a_principal, a_token
from tests.conftest import MASTER_KEY, Databases, a_tenant


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def parts(databases: Databases, clock: Clock) -> CodecParts:
    return CodecParts(
        keys=CodecKeys(PostgresTenantKeyRows(databases.key_codec), MASTER_KEY),
        records=DecodeRecords(databases.codec),
        operators=Operators(TokenHolders(databases.codec), SHARED_TOKEN),
        sessions=Sessions(MASTER_KEY, clock),
        allowance=Allowance(clock),
        stores_answer=databases.codec.ping,
        origins=frozenset({UI}),
        secure_cookies=False,
    )


@pytest.fixture
def ask(parts: CodecParts, keys: EnvelopeKeys, databases: Databases) -> Asking:
    return Asking(parts, keys, databases)


@pytest.fixture
async def token(databases: Databases, tenant_id: UUID) -> str:
    principal = await a_principal(databases, tenant_id, "operator")
    return await a_token(databases, tenant_id, principal, "operator")


@pytest.fixture
async def other_tenant(registry: TenantRegistry) -> UUID:
    return await a_tenant(registry)


@pytest.fixture
async def browser(parts: CodecParts) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_codec(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8234") as client:
        yield client
