"""SQL of the key store: its own database, its own roles."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from adapters.keys import KeyKind, WrappedKey
from adapters.postgres.session import Database
from adapters.postgres.tables import data_keys
from domain.errors import KeyStoreUnavailable

UNREACHABLE = (OperationalError, InterfaceError, PoolTimeout, OSError)
COLUMNS = (data_keys.c.kind, data_keys.c.owner_id, data_keys.c.wrapped, data_keys.c.wrapped_by)

DESTROY = text(
    "update data_keys set wrapped = null, destroyed_at = now()"
    " where tenant_id = :tenant and kind = :kind and owner_id = any(:owners) and destroyed_at is null"
)


class PostgresKeyStore:
    """Wrapped keys of all tenants. What a role may not do, the database refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, tenant_id: UUID, kind: KeyKind) -> WrappedKey | None:
        """The newest key of this kind that is not destroyed."""
        newest = (
            select(*COLUMNS)
            .where(data_keys.c.tenant_id == tenant_id, data_keys.c.kind == kind)
            .where(data_keys.c.destroyed_at.is_(None))
            .order_by(data_keys.c.created_at.desc(), data_keys.c.owner_id)
            .limit(1)
        )
        rows = await self._read(tenant_id, newest)
        return rows[0] if rows else None

    async def read(self, tenant_id: UUID, kind: KeyKind, owners: Sequence[UUID]) -> Mapping[UUID, WrappedKey]:
        """The keys that exist, tombstones included."""
        wanted = select(*COLUMNS).where(
            data_keys.c.tenant_id == tenant_id, data_keys.c.kind == kind, data_keys.c.owner_id.in_(owners)
        )
        return {row.owner_id: row for row in await self._read(tenant_id, wanted)}

    async def add(self, tenant_id: UUID, key: WrappedKey) -> WrappedKey:
        """Adds it unless there is one or a tombstone, and returns what is there."""
        addition = upsert(data_keys).values(_values(tenant_id, key)).on_conflict_do_nothing()
        await self._write(tenant_id, addition)
        return (await self.read(tenant_id, key.kind, [key.owner_id]))[key.owner_id]

    async def add_unread(self, tenant_id: UUID, key: WrappedKey) -> None:
        """Adds a new key without reading anything."""
        await self._write(tenant_id, insert(data_keys).values(_values(tenant_id, key)))

    async def destroy(self, tenant_id: UUID, kind: KeyKind, owners: Sequence[UUID]) -> None:
        """Leaves tombstones. Repeating is safe."""
        await self._write(tenant_id, DESTROY, {"tenant": tenant_id, "kind": kind, "owners": list(owners)})

    async def _read(self, tenant_id: UUID, query: Any) -> Sequence[WrappedKey]:
        try:
            async with self._database.transaction(tenant_id) as session:
                return [_wrapped(row) for row in (await session.execute(query)).all()]
        except UNREACHABLE:
            raise KeyStoreUnavailable from None

    async def _write(self, tenant_id: UUID, statement: Any, values: dict[str, Any] | None = None) -> None:
        try:
            async with self._database.transaction(tenant_id) as session:
                await session.execute(statement, values)
        except UNREACHABLE:
            raise KeyStoreUnavailable from None


def _values(tenant_id: UUID, key: WrappedKey) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "kind": key.kind,
        "owner_id": key.owner_id,
        "wrapped": key.wrapped,
        "wrapped_by": key.wrapped_by,
    }


def _wrapped(row: Row[Any]) -> WrappedKey:
    return WrappedKey(KeyKind(row.kind), row.owner_id, row.wrapped, row.wrapped_by)
