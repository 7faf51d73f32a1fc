"""Which tickets of a tenant our tables know, and since when."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, text

from adapters.postgres.session import Database
from adapters.postgres.tables import tickets

AUDITED = text("""
    select distinct content ->> 'ticket_id' as ticket from audit_events
    where tenant_id = :tenant and kind = 'turn_settled'
""")
# The archive's table comes with its own release; without it nothing is archived.
HAS_ARCHIVE = text("select to_regclass('countersign.archived_runs') is not null as there")
ARCHIVED = text("select distinct ticket_id from archived_runs where tenant_id = :tenant")
PATIENTLY = text("set local statement_timeout = '10min'")


class TicketWitness:
    """The tables as `app`, the audit trail as `sealer`."""

    def __init__(self, app: Database, sealer: Database) -> None:
        self._app = app
        self._sealer = sealer

    async def listed(self, tenant_id: UUID) -> Mapping[UUID, datetime]:
        """Tickets, and when each was opened."""
        query = select(tickets.c.id, tickets.c.opened_at).where(
            tickets.c.tenant_id == tenant_id,
            # A number that somebody took over and no run has ever read is no ticket yet.
            or_(tickets.c.external_id.is_not(None), tickets.c.turns > 0),
        )
        async with self._app.transaction(tenant_id) as session:
            return {row.id: row.opened_at for row in await session.execute(query)}

    async def audited(self, tenant_id: UUID) -> AbstractSet[UUID]:
        """Tickets of which a turn was settled."""
        async with self._sealer.across_tenants() as session:
            await session.execute(PATIENTLY)
            found = await session.execute(AUDITED, {"tenant": tenant_id})
            return {UUID(ticket) for ticket in found.scalars() if ticket}

    async def archived(self, tenant_id: UUID) -> AbstractSet[UUID]:
        """Tickets of which a run's history was archived."""
        async with self._app.transaction(tenant_id) as session:
            if not (await session.execute(HAS_ARCHIVE)).scalar_one():
                return set()
            return set((await session.execute(ARCHIVED, {"tenant": tenant_id})).scalars())
