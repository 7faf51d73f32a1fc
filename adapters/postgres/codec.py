"""What the codec server may do with the databases: find keys and their owners, know people, write audit."""

import hmac
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Insert, any_, insert, literal, select

from adapters.keys import KeyKind, WrappedKey
from adapters.postgres.directory import Directory, DirectoryKind, directory_digest
from adapters.postgres.key_store import UNREACHABLE
from adapters.postgres.session import Database
from adapters.postgres.tables import api_tokens, audit_events, data_keys, principals
from domain.audit import PayloadsDecoded, PayloadsRefused
from domain.errors import KeyStoreUnavailable
from domain.model import RecordId

OPERATOR = literal("operator")  # the role


class PostgresTenantKeyRows:
    """Reads as `key_codec`, which sees tenant keys and no others."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_id(self, ids: Collection[UUID]) -> Mapping[UUID, tuple[UUID, WrappedKey]]:
        """Tenant and row of those that exist, tombstones included."""
        wanted = select(data_keys.c.tenant_id, data_keys.c.owner_id, data_keys.c.wrapped).where(
            data_keys.c.kind == KeyKind.TENANT, data_keys.c.owner_id.in_(ids)
        )
        try:
            async with self._database.across_tenants() as session:
                rows = (await session.execute(wanted)).all()
        except UNREACHABLE:
            raise KeyStoreUnavailable from None
        return {
            row.owner_id: (row.tenant_id, WrappedKey(KeyKind.TENANT, row.owner_id, row.wrapped, None))
            for row in rows
        }


class TokenHolders:
    """Reads as `codec`, never from memory: a revoked token is refused at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._directory = Directory(database)

    async def operator_of(self, token: str) -> tuple[UUID, RecordId] | None:
        """Tenant and principal of an operator's token. None where it is unknown, revoked or not one."""
        tenant_id = await self._directory.tenant_of(DirectoryKind.API_TOKEN, token)
        if tenant_id is None:
            return None
        digest = directory_digest(token)
        query = (
            select(principals.c.id, api_tokens.c.token_digest)
            .join(
                principals,
                (principals.c.tenant_id == api_tokens.c.tenant_id)
                & (principals.c.id == api_tokens.c.principal_id),
            )
            .where(api_tokens.c.tenant_id == tenant_id, api_tokens.c.token_digest == digest)
            .where(api_tokens.c.revoked_at.is_(None))
            # A token gives no more than its person has now.
            .where(any_(api_tokens.c.roles) == OPERATOR, any_(principals.c.roles) == OPERATOR)
        )
        async with self._database.transaction(tenant_id) as session:
            row = (await session.execute(query)).first()
        if row is None or not hmac.compare_digest(row.token_digest, digest):
            return None
        return tenant_id, row.id


class DecodeRecords:
    """Writes as `codec`, which can add audit events and read none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, events: Sequence[tuple[UUID, PayloadsDecoded | PayloadsRefused]]) -> None:
        """One row each, committed on return. A failure between two leaves rows for what nobody got to see."""
        for tenant_id, event in events:
            async with self._database.transaction(tenant_id) as session:
                await session.execute(_insertion(tenant_id, event))


def _insertion(tenant_id: UUID, event: PayloadsDecoded | PayloadsRefused) -> Insert:
    kind = "payloads_decoded" if isinstance(event, PayloadsDecoded) else "payloads_refused"
    row = {"tenant_id": tenant_id, "kind": kind, "content": event.model_dump(mode="json")}
    return insert(audit_events).values(row).inline()  # returning the new id would be reading
