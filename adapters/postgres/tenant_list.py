"""All tenants by name, for operators. Runs as `owner`: no process that serves tickets can list them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from adapters.postgres.directory import DirectoryKind
from adapters.postgres.session import Database
from adapters.postgres.tables import directory, tenants
from domain.ticket import Mode


@dataclass(frozen=True)
class ListedTenant:
    """What an operator sees of a tenant."""

    tenant_id: UUID
    name: str
    mode: Mode


async def listed_tenants(database: Database) -> list[ListedTenant]:
    """In the order of their names. Row-level security binds the owner too, so each is read by itself."""
    registered = select(directory.c.tenant_id).where(directory.c.kind == DirectoryKind.NAME)
    async with database.across_tenants() as session:
        ids = (await session.execute(registered)).scalars().all()
    listed = [await _listed(database, tenant_id) for tenant_id in ids]
    return sorted((tenant for tenant in listed if tenant), key=lambda tenant: tenant.name)


async def _listed(database: Database, tenant_id: UUID) -> ListedTenant | None:
    query = select(tenants.c.name, tenants.c.mode).where(tenants.c.tenant_id == tenant_id)
    async with database.transaction(tenant_id) as session:
        row = (await session.execute(query)).first()
    return ListedTenant(tenant_id, row.name, Mode(row.mode)) if row else None
