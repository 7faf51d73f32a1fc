"""The worker's side of the inbox: opens what the door sealed and ends it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, select, update

from adapters.keys import EnvelopeKeys
from adapters.postgres.inbox import InboxState, open_body
from adapters.postgres.session import Database
from adapters.postgres.tables import inbox
from domain.errors import KeyDestroyed
from domain.ports import DataKey, Delivery
from domain.ticket import TicketRef

UNCONSUMED = (InboxState.PENDING, InboxState.DISPATCHED)


@dataclass(frozen=True, repr=False)
class Opened:
    """A row with its body in clear."""

    content: bytes
    received_at: datetime


class InboxDeliveries:
    """The `Deliveries` port, as `app`."""

    def __init__(self, database: Database, keys: EnvelopeKeys) -> None:
        self._database = database
        self._keys = keys

    async def unconsumed(self, ticket: TicketRef) -> Sequence[Delivery]:
        """Every delivery of the route not yet consumed, oldest first, opened with its delivery key.

        A row whose key is gone was consumed by somebody who ended before saying so: it is said here.
        """
        rows = await self._rows(ticket)
        keys = await self._delivery_keys(ticket.tenant_id, [row.id for row in rows])
        await self.consume(ticket, [row.id for row in rows if row.id not in keys])
        return [_delivery(ticket.tenant_id, row, keys[row.id]) for row in rows if row.id in keys]

    async def consume(self, ticket: TicketRef, deliveries: Sequence[UUID]) -> None:
        """Destroys the keys, then marks the rows: the other order could leave a key for ever."""
        await self.close(ticket.tenant_id, deliveries, InboxState.CONSUMED)

    async def close(self, tenant_id: UUID, deliveries: Sequence[UUID], state: InboxState) -> None:
        """Ends rows for good. Repeating is safe."""
        if not deliveries:
            return
        await self._keys.destroy_delivery_keys(tenant_id, deliveries)
        ending = update(inbox).where(inbox.c.tenant_id == tenant_id, inbox.c.id.in_(deliveries))
        async with self._database.transaction(tenant_id) as session:
            await session.execute(ending.where(inbox.c.state.in_(UNCONSUMED)).values(state=state))

    async def open(self, tenant_id: UUID, delivery_id: UUID) -> Opened | None:
        """One row that is not ended yet; None where it is."""
        query = select(inbox.c.id, inbox.c.body, inbox.c.received_at).where(
            inbox.c.tenant_id == tenant_id, inbox.c.id == delivery_id, inbox.c.state.in_(UNCONSUMED)
        )
        async with self._database.transaction(tenant_id) as session:
            row = (await session.execute(query)).first()
        keys = await self._delivery_keys(tenant_id, [row.id]) if row else {}
        if row is None or row.id not in keys:
            return None
        body = open_body(tenant_id, row.id, keys[row.id], row.body)
        return Opened(body.content, row.received_at)

    async def _rows(self, ticket: TicketRef) -> Sequence[Row[UUID, str, bytes, datetime]]:
        query = (
            select(inbox.c.id, inbox.c.source, inbox.c.body, inbox.c.received_at)
            .where(inbox.c.tenant_id == ticket.tenant_id, inbox.c.route == ticket.route)
            .where(inbox.c.state.in_(UNCONSUMED))
            .order_by(inbox.c.received_at, inbox.c.id)
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            return (await session.execute(query)).all()

    async def _delivery_keys(self, tenant_id: UUID, deliveries: Sequence[UUID]) -> Mapping[UUID, DataKey]:
        with suppress(KeyDestroyed):
            return await self._keys.delivery_keys(tenant_id, deliveries)
        return await self._living(tenant_id, deliveries)

    async def _living(self, tenant_id: UUID, deliveries: Sequence[UUID]) -> Mapping[UUID, DataKey]:
        living: dict[UUID, DataKey] = {}
        for delivery_id in deliveries:
            with suppress(KeyDestroyed):
                living[delivery_id] = await self._keys.delivery_key(tenant_id, delivery_id)
        return living


def _delivery(tenant_id: UUID, row: Row[UUID, str, bytes, datetime], key: DataKey) -> Delivery:
    body = open_body(tenant_id, row.id, key, row.body)
    return Delivery(
        id=row.id, source=row.source, external_ticket_id=body.external_id, received_at=row.received_at
    )
