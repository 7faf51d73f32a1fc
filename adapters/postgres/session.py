"""Connections to Postgres: one pool per role, every transaction bound to one tenant."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, TextClause, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CONNECT_WITHIN_S = 5
WAIT_FOR_CONNECTION_S = 10
POOL_SIZE = 4
OVERFLOW = 4

SET_TENANT = text("select set_config('app.tenant_id', :tenant, true)")


class Database:
    """One database as one role. `transaction` is the unit of work; it commits at its end."""

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE) -> None:
        self._engine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=OVERFLOW,
            pool_timeout=WAIT_FOR_CONNECTION_S,
            hide_parameters=True,  # exception texts end up in logs and histories
            connect_args=connection_options(url),
        )
        self._statements = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self, tenant_id: UUID) -> AsyncIterator[AsyncSession]:
        """Sees and writes rows of `tenant_id` only. Rolls back if the block raises."""
        async with self._session({"tenant_id": tenant_id}) as session:
            yield session

    @asynccontextmanager
    async def across_tenants(self) -> AsyncIterator[AsyncSession]:
        """Sees what the role may see without a tenant: nothing, except by a narrow policy."""
        async with self._session({}) as session:
            yield session

    async def call(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[RowMapping]:
        """One statement in one round trip; for functions that name their tenant themselves."""
        async with self._statements.connect() as connection:
            result = await connection.execute(statement, values)
            return result.mappings().all()

    async def ping(self) -> None:
        """Raises where the database does not answer."""
        await self.call(text("select 1"), {})

    async def close(self) -> None:
        """Closes every pooled connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _session(self, info: dict[str, UUID]) -> AsyncIterator[AsyncSession]:
        async with (
            AsyncSession(self._engine, sync_session_class=_TenantSession, info=info) as session,
            session.begin(),
        ):
            yield session


def driver_url(url: str) -> URL:
    """The same address for SQLAlchemy with psycopg 3."""
    return make_url(url).set(drivername="postgresql+psycopg")


def connection_options(url: str) -> dict[str, Any]:
    """Bounds for a lost server; explicit values where PG* variables would break a loopback server."""
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_WITHIN_S,
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "application_name": "countersign",
    }
    if make_url(url).host in LOOPBACK:
        options |= {"sslmode": "disable", "gssencmode": "disable", "target_session_attrs": "any"}
    return options


class _TenantSession(Session):
    """A session that belongs to a tenant; see `_bind_tenant`."""


@event.listens_for(_TenantSession, "after_begin")
def _bind_tenant(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    # Local to the transaction and set again after every commit, so a pooled connection carries nothing over.
    tenant_id = session.info.get("tenant_id")
    if tenant_id is not None:
        connection.execute(SET_TENANT, {"tenant": str(tenant_id)})
