"""The `Tenants` port: a tenant's configuration, remembered for seconds."""

from uuid import UUID

from sqlalchemy import select

from adapters.postgres.session import Database
from adapters.postgres.tables import tenants
from adapters.recent import Recent
from domain.errors import UnknownTenant
from domain.ports import TenantConfiguration

REMEMBER_S = 3.0
REMEMBER = 4096


class PostgresTenants:
    """Reads as `app`. A change is seen within seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recent: Recent[UUID, TenantConfiguration] = Recent(REMEMBER, REMEMBER_S)

    async def configuration(self, tenant_id: UUID) -> TenantConfiguration:
        """Raises `UnknownTenant`."""
        known = self._recent.get(tenant_id)
        if known:
            return known
        query = select(tenants.c.configuration).where(tenants.c.tenant_id == tenant_id)
        async with self._database.transaction(tenant_id) as session:
            stored = (await session.execute(query)).scalar_one_or_none()
        if stored is None:
            raise UnknownTenant(tenant_id)
        configuration = TenantConfiguration.model_validate(stored)
        self._recent.put(tenant_id, configuration)
        return configuration
