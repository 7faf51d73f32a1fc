"""The sealer: no gaps, nothing left out, whoever runs it and whenever it dies."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from adapters.postgres import sealer as sealing
from adapters.postgres.sealer import Sealer, oldest_unsealed
from adapters.postgres.tables import audit_heads, audit_links, audit_pending
from adapters.postgres.tenant_registry import TenantRegistry
from tests.adapters.audit.chained import ADD, SIGNER, findings, happen, seal
from tests.conftest import Databases, a_tenant


async def sequences(databases: Databases, tenant_id: UUID) -> list[int]:
    query = select(audit_links.c.sequence).where(audit_links.c.tenant_id == tenant_id)
    async with databases.sealer.across_tenants() as session:
        return sorted((await session.execute(query)).scalars())


async def waiting(databases: Databases, tenant_id: UUID) -> int:
    query = select(func.count()).where(audit_pending.c.tenant_id == tenant_id)
    async with databases.sealer.across_tenants() as session:
        return (await session.execute(query)).scalar_one()


async def intact(databases: Databases) -> bool:
    async with databases.sealer.across_tenants() as session:
        return not await findings(session)


async def test_many_sealers_leave_no_gap(databases: Databases, registry: TenantRegistry) -> None:
    tenants = [await a_tenant(registry) for _ in range(3)]
    for tenant in tenants:
        await happen(databases, tenant, 40)
    before = [await waiting(databases, tenant) for tenant in tenants]
    sealers = [Sealer(databases.sealer, SIGNER, batch=7) for _ in range(4)]

    async def run(sealer: Sealer) -> None:
        while any([await waiting(databases, tenant) for tenant in tenants]):
            await sealer.round()

    await asyncio.gather(*map(run, sealers))

    for tenant, count in zip(tenants, before, strict=True):
        assert await sequences(databases, tenant) == list(range(1, count + 1))
    assert await intact(databases)


async def test_a_late_commit_gets_a_later_place(databases: Databases, registry: TenantRegistry) -> None:
    tenant = await a_tenant(registry)
    await seal(databases)
    first = len(await sequences(databases, tenant))
    async with databases.app.transaction(tenant) as late:
        await late.execute(ADD, {"tenant": tenant, "count": 1})
        await happen(databases, tenant, 2)
        await seal(databases)
        assert len(await sequences(databases, tenant)) == first + 2

    await seal(databases)

    assert await sequences(databases, tenant) == list(range(1, first + 4))
    assert await intact(databases)


async def test_a_sealer_that_dies_in_its_round_leaves_everything_to_the_next(
    databases: Databases, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seal(databases)
    await happen(databases, tenant_id, 5)
    kill = text("select pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patched:
        patched.setattr(sealing, "ADD_HEADS", kill)  # links are written, their head is not
        with pytest.raises(DBAPIError):
            await Sealer(databases.sealer, SIGNER).round()
    assert await waiting(databases, tenant_id) == 5

    await seal(databases)

    assert await waiting(databases, tenant_id) == 0
    assert await intact(databases)


async def test_ten_thousand_events_are_sealed_in_few_rounds(databases: Databases, tenant_id: UUID) -> None:
    await seal(databases)
    first = len(await sequences(databases, tenant_id))
    await happen(databases, tenant_id, 10_000)
    rounds = 1
    sealer = Sealer(databases.sealer, SIGNER)

    async with asyncio.timeout(60):
        while await sealer.round():
            rounds += 1

    assert await sequences(databases, tenant_id) == list(range(1, first + 10_001))
    assert rounds <= 11


async def test_a_busy_tenant_delays_nobody(databases: Databases, registry: TenantRegistry) -> None:
    busy, quiet = await a_tenant(registry), await a_tenant(registry)
    await seal(databases)
    await happen(databases, busy, 100)
    await happen(databases, quiet, 1)

    await Sealer(databases.sealer, SIGNER, batch=20, most=20).round()

    assert await waiting(databases, quiet) == 0
    assert await waiting(databases, busy) == 81
    await seal(databases)


async def test_the_oldest_unsealed_event_is_known(databases: Databases, tenant_id: UUID) -> None:
    await seal(databases)
    assert await oldest_unsealed(databases.sealer) == (None, 0)
    await happen(databases, tenant_id, 2)

    age, count = await oldest_unsealed(databases.sealer)

    assert count == 2
    assert age is not None
    assert age.total_seconds() < 60
    await seal(databases)


async def test_a_link_that_is_there_already_does_not_stop_the_sealer(
    databases: Databases, tenant_id: UUID
) -> None:
    await happen(databases, tenant_id, 1)
    await seal(databases)
    again = text(
        "insert into audit_pending select tenant_id, event_id from audit_links where tenant_id = :tenant"
    )
    async with databases.owner.transaction(tenant_id) as session:
        await session.execute(again, {"tenant": tenant_id})

    await seal(databases)

    assert await waiting(databases, tenant_id) == 0
    assert await intact(databases)


@pytest.mark.parametrize("role", ["door", "app", "egress", "relay"])
@pytest.mark.parametrize("table", ["audit_links", "audit_heads", "audit_pending"])
@pytest.mark.parametrize(
    "statement",
    [
        "select * from {}",
        "insert into {} select * from {}",
        "update {} set tenant_id = tenant_id",
        "delete from {}",
        "truncate {}",
    ],
)
async def test_nobody_but_the_sealer_touches_the_chain(
    databases: Databases, role: str, table: str, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with getattr(databases, role).across_tenants() as session:
            await session.execute(text(statement.replace("{}", table)))


async def test_the_sealer_sees_no_other_table(databases: Databases) -> None:
    for table in ("tickets", "artifacts", "vault", "decisions", "tenants"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with databases.sealer.across_tenants() as session:
                await session.execute(text(f"select * from {table}"))  # noqa: S608 - listed above


async def test_heads_grow_by_one(databases: Databases, tenant_id: UUID) -> None:
    await happen(databases, tenant_id, 1)
    await seal(databases)
    query = select(audit_heads.c.register).order_by(audit_heads.c.register)

    async with databases.sealer.across_tenants() as session:
        registers = list((await session.execute(query)).scalars())

    assert registers == list(range(1, len(registers) + 1))
