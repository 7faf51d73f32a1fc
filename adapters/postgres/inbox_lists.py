"""Deliveries for operators, without bodies, and what may be done with one row. Works as `app`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.keys import EnvelopeKeys
from adapters.postgres.inbox import KICK, InboxKind, InboxState, SealedBody, open_body, redelivered
from adapters.postgres.session import Database
from adapters.postgres.tables import audit_events, inbox
from domain.errors import KeyDestroyed
from domain.model import RouteKey

LONGEST_LIST = 1000
REPEATS = "redelivery:"

SHOWN = (
    inbox.c.id,
    inbox.c.kind,
    inbox.c.source,
    inbox.c.route,
    inbox.c.state,
    inbox.c.attempts,
    inbox.c.received_at,
    inbox.c.not_before,
    (func.now() - inbox.c.received_at).label("age"),
)


@dataclass(frozen=True)
class DeliveryLine:
    """What may be shown of a delivery."""

    id: UUID
    kind: InboxKind
    source: str
    route: RouteKey | None
    state: InboxState
    attempts: int
    received_at: datetime
    not_before: datetime
    age: timedelta


@dataclass(frozen=True)
class Wanted:
    """Which rows to list, the oldest first."""

    state: InboxState | None = None
    older_than: timedelta = timedelta()
    limit: int = 50
    route: RouteKey | None = None


class InboxLists:
    """One tenant at a time."""

    def __init__(self, database: Database, keys: EnvelopeKeys) -> None:
        self._database = database
        self._keys = keys

    async def rows(self, tenant_id: UUID, wanted: Wanted) -> Sequence[DeliveryLine]:
        """Oldest first."""
        async with self._database.transaction(tenant_id) as session:
            found = (await session.execute(_listed(tenant_id, wanted))).all()
        return [_line(row) for row in found]

    async def one(self, tenant_id: UUID, delivery_id: UUID) -> DeliveryLine | None:
        """None where the tenant has no such row."""
        query = select(*SHOWN).where(inbox.c.tenant_id == tenant_id, inbox.c.id == delivery_id)
        async with self._database.transaction(tenant_id) as session:
            row = (await session.execute(query)).first()
        return _line(row) if row else None

    async def opened(self, tenant_id: UUID, delivery_id: UUID) -> SealedBody | None:
        """What the door sealed; None once the row's key is destroyed."""
        query = select(inbox.c.body).where(inbox.c.tenant_id == tenant_id, inbox.c.id == delivery_id)
        async with self._database.transaction(tenant_id) as session:
            sealed = (await session.execute(query)).scalar_one()
        try:
            key = await self._keys.delivery_key(tenant_id, delivery_id)
        except KeyDestroyed:
            return None
        return open_body(tenant_id, delivery_id, key, sealed)

    async def next_repeat(self, line: DeliveryLine, tenant_id: UUID) -> str:
        """The key of the row that repeats this one: the same for everybody who asks before it is relayed."""
        started = func.starts_with(inbox.c.delivery_key, f"{REPEATS}{line.id}:")
        earlier = select(func.count()).where(
            inbox.c.tenant_id == tenant_id,
            inbox.c.kind == line.kind,
            inbox.c.source == line.source,
            inbox.c.state != InboxState.PENDING,
            started,
        )
        async with self._database.transaction(tenant_id) as session:
            return f"{REPEATS}{line.id}:{(await session.execute(earlier)).scalar_one()}"

    async def bring_forward(self, tenant_id: UUID, delivery_id: UUID) -> bool:
        """A pending row is relayed now, its attempts forgotten. False where a relay was quicker."""
        moved = (
            update(inbox)
            .where(inbox.c.tenant_id == tenant_id, inbox.c.id == delivery_id)
            .where(inbox.c.state == InboxState.PENDING)
            .values(attempts=0, not_before=func.now())
            .returning(inbox.c.id, KICK)
        )
        async with self._database.transaction(tenant_id) as session:
            if (await session.execute(moved)).first() is None:
                return False
            await session.execute(redelivered(tenant_id, delivery_id, delivery_id))
        return True

    async def end_unroutable(self, tenant_id: UUID, delivery_id: UUID, state: InboxState) -> bool:
        """Destroys the key, then ends the row with its event. False where it is not unroutable."""
        ended = (
            update(inbox)
            .where(inbox.c.tenant_id == tenant_id, inbox.c.id == delivery_id)
            .where(inbox.c.state == InboxState.UNROUTABLE)
            .values(state=state)
            .returning(inbox.c.id)
        )
        async with self._database.transaction(tenant_id) as session:
            if (await session.execute(ended)).first() is None:
                return False
            content = {"delivery": str(delivery_id), "state": state}
            event = insert(audit_events).values(tenant_id=tenant_id, kind="delivery_ended", content=content)
            await session.execute(event.inline())
            await self._keys.destroy_delivery_keys(tenant_id, [delivery_id])
        return True


def _listed(tenant_id: UUID, wanted: Wanted) -> Select[Any]:
    query = select(*SHOWN).where(inbox.c.tenant_id == tenant_id)
    if wanted.state is not None:
        query = query.where(inbox.c.state == wanted.state)
    if wanted.route is not None:
        query = query.where(inbox.c.route == wanted.route)
    if wanted.older_than:
        query = query.where(inbox.c.received_at < func.now() - wanted.older_than)
    return query.order_by(inbox.c.received_at, inbox.c.id).limit(min(wanted.limit, LONGEST_LIST))


def _line(row: Row[Any]) -> DeliveryLine:
    return DeliveryLine(
        id=row.id,
        kind=InboxKind(row.kind),
        source=row.source,
        route=row.route,
        state=InboxState(row.state),
        attempts=row.attempts,
        received_at=row.received_at,
        not_before=row.not_before,
        age=row.age,
    )
