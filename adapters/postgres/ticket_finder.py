"""Finds a ticket by the number that people know (role `door`), without opening any number."""

from uuid import UUID

from sqlalchemy import select

from adapters.postgres.connections import DoorConnections
from adapters.postgres.session import Database
from adapters.postgres.tables import helpdesk_connections, tickets
from domain.ticket import TicketRef, route_key


class TicketFinder:
    """A number and the tenant's routing secret give the ticket's id, as they do when a webhook knocks."""

    def __init__(self, database: Database, connections: DoorConnections) -> None:
        self._database = database
        self._connections = connections

    async def numbered(self, tenant_id: UUID, number: str) -> UUID | None:
        """None where no helpdesk of the tenant has brought such a ticket."""
        sources = select(helpdesk_connections.c.source).where(helpdesk_connections.c.tenant_id == tenant_id)
        async with self._database.transaction(tenant_id) as session:
            found = list((await session.execute(sources)).scalars())
        named = [ticket for source in found if (ticket := await self._named(tenant_id, source, number))]
        query = select(tickets.c.id).where(tickets.c.tenant_id == tenant_id, tickets.c.id.in_(named)).limit(1)
        async with self._database.transaction(tenant_id) as session:
            ticket_id: UUID | None = (await session.execute(query)).scalar_one_or_none()
        return ticket_id

    async def _named(self, tenant_id: UUID, source: str, number: str) -> UUID | None:
        hook = await self._connections.webhook(tenant_id, source)
        if hook is None:
            return None
        return TicketRef(tenant_id=tenant_id, route=route_key(hook[1], source, number)).ticket_id
