"""Audit events of a tenant's own, sealed, and what a verifier says about them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.audit.chain import Finding
from adapters.audit.copies import check_live, copy_lines
from adapters.audit.signing import audit_signer
from adapters.postgres.audit_records import AuditRecords
from adapters.postgres.sealer import Sealer
from adapters.postgres.session import connection_options, driver_url
from tests.conftest import MASTER_KEY, Databases

SIGNER = audit_signer(MASTER_KEY)
ADD = text("""
    insert into audit_events (tenant_id, kind, content)
    select :tenant, 'counted', jsonb_build_object('number', n) from generate_series(1, :count) as n
""")


async def happen(databases: Databases, tenant_id: UUID, count: int) -> None:
    """So many events in one transaction, as a worker writes them."""
    async with databases.app.transaction(tenant_id) as session:
        await session.execute(ADD, {"tenant": tenant_id, "count": count})


async def seal(databases: Databases, batch: int = 1000) -> None:
    """Until nothing waits."""
    sealer = Sealer(databases.sealer, SIGNER, batch=batch)
    while await sealer.round():
        pass


async def a_copy(databases: Databases, tenant_id: UUID | None = None) -> list[str]:
    """What `countersign audit chain` writes."""
    async with databases.sealer.across_tenants() as session:
        records = AuditRecords(session, tenant_id)
        return [line async for line in copy_lines(records, SIGNER, str(tenant_id) if tenant_id else "all")]


async def findings(
    session: AsyncSession, kept: Sequence[str] = (), tenants: Sequence[str] = ()
) -> list[Finding]:
    """What `countersign audit verify` finds in the tables."""
    found = check_live(AuditRecords(session), SIGNER, kept=kept, tenants=tenants)
    return [finding async for finding in found]


@asynccontextmanager
async def attacking(admin_url: str) -> AsyncIterator[AsyncSession]:
    """An administrator with every trigger off, in a transaction that is never committed."""
    url = driver_url(admin_url).set(database="countersign")
    engine = create_async_engine(url, poolclass=NullPool, connect_args=connection_options(admin_url))
    async with engine.connect() as connection, AsyncSession(connection) as session:
        await session.execute(text("set local search_path = countersign"))
        await session.execute(text("set local session_replication_role = replica"))
        yield session
        await session.rollback()
    await engine.dispose()
