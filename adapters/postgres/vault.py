"""The `Vault` port: placeholders and record ids with their real values, sealed with the ticket's key."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from adapters.keys import aad_of, open_sealed, seal
from adapters.postgres.session import Database
from adapters.postgres.tables import vault
from domain.ports import Keys
from domain.ticket import TicketRef


class PostgresVault:
    """Works as `app`, which can add entries and never change one."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    async def keep(self, ticket: TicketRef, values: Mapping[str, str]) -> None:
        """Adds entries; an existing placeholder keeps its value."""
        if not values:
            return
        key = await self._keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
        rows = [
            {
                "tenant_id": ticket.tenant_id,
                "ticket_id": ticket.ticket_id,
                "name": name,
                "value": seal(key, value.encode(), _aad(ticket, name)),
            }
            for name, value in sorted(values.items())  # one order, so that two keepers cannot deadlock
        ]
        async with self._database.transaction(ticket.tenant_id) as session:
            await session.execute(insert(vault).values(rows).on_conflict_do_nothing())

    async def values(self, ticket: TicketRef) -> Mapping[str, str]:
        """Everything kept for the ticket. Raises `KeyDestroyed` after erasure."""
        key = await self._keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
        query = select(vault.c.name, vault.c.value).where(
            vault.c.tenant_id == ticket.tenant_id, vault.c.ticket_id == ticket.ticket_id
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            rows = (await session.execute(query)).all()
        return {row.name: open_sealed(key, row.value, _aad(ticket, row.name)).decode() for row in rows}


def _aad(ticket: TicketRef, name: str) -> bytes:
    return aad_of(ticket.tenant_id, "vault", ticket.ticket_id, name)
