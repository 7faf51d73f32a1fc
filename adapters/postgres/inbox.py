"""The door's side of the inbox: what is acknowledged is committed here first."""

import base64
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from adapters.keys import DoorKeys, aad_of, open_sealed, seal
from adapters.postgres.session import Database
from adapters.postgres.tables import audit_events, inbox
from domain.conversation import TextModel
from domain.model import RouteKey
from domain.ports import DataKey

# Whoever relays listens here; the payload is empty, because everybody may listen.
CHANNEL = "inbox"
KICK = func.pg_notify(CHANNEL, "")


class InboxKind(StrEnum):
    """Who is on the other side of a door."""

    HELPDESK = "helpdesk"
    SLACK = "slack"
    OPERATOR = "operator"  # a word of a teammate to a running ticket


class InboxState(StrEnum):
    """Where a row stands. Relays move `pending`, the worker ends it."""

    PENDING = "pending"
    DISPATCHED = "dispatched"
    CONSUMED = "consumed"
    UNROUTABLE = "unroutable"
    REFUSED = "refused"


@dataclass(frozen=True)
class Arrival:
    """Something proven to come from a tenant's helpdesk or workspace."""

    tenant_id: UUID
    kind: InboxKind
    source: str
    delivery_key: str
    body: bytes = field(repr=False)
    external_id: str = field(default="", repr=False)
    route: RouteKey | None = None
    traceparent: str | None = None
    redelivers: UUID | None = None  # an operator's wish: the row it repeats

    @property
    def state(self) -> InboxState:
        """A helpdesk's delivery that names no ticket waits for operators, not for a relay."""
        lost = self.kind is InboxKind.HELPDESK and self.route is None
        return InboxState.UNROUTABLE if lost else InboxState.PENDING


@dataclass(frozen=True)
class Accepted:
    """The row that holds it, made now or by an earlier copy."""

    delivery_id: UUID
    new: bool


class SealedBody(TextModel):
    """What a row's body holds under its one-time key."""

    external_id: str
    body: str  # base64

    @property
    def content(self) -> bytes:
        """The bytes as they arrived."""
        return base64.b64decode(self.body)


class DoorInbox:
    """Commits arrivals as `door`: the key first, in its own database, then the row.

    A key without a row, left by a copy or a crash, opens nothing.
    """

    def __init__(self, database: Database, keys: DoorKeys) -> None:
        self._database = database
        self._keys = keys

    async def accept(self, arrival: Arrival) -> Accepted:
        """Committed when it returns. A copy, early or late, gets the id of the first."""
        delivery_id = uuid4()
        key = await self._keys.new_delivery_key(arrival.tenant_id, delivery_id)
        row = _row(arrival, delivery_id, key)
        async with self._database.transaction(arrival.tenant_id) as session:
            added = (await session.execute(_addition(arrival.state, row))).first()
            if added is None:
                return Accepted(await _existing(session, arrival), new=False)
            if arrival.redelivers is not None:
                await session.execute(redelivered(arrival.tenant_id, arrival.redelivers, delivery_id))
        return Accepted(delivery_id, new=True)

    async def state_of(self, tenant_id: UUID, delivery_id: UUID) -> InboxState:
        """How far it has come."""
        query = select(inbox.c.state).where(inbox.c.tenant_id == tenant_id, inbox.c.id == delivery_id)
        async with self._database.transaction(tenant_id) as session:
            return InboxState((await session.execute(query)).scalar_one())


def open_body(tenant_id: UUID, delivery_id: UUID, key: DataKey, sealed: bytes) -> SealedBody:
    """What the door sealed into this row and no other."""
    return SealedBody.model_validate_json(open_sealed(key, sealed, _aad(tenant_id, delivery_id)))


def redelivered(tenant_id: UUID, delivery_id: UUID, by: UUID) -> Insert:
    """The audit event of a redelivery: which row, and the row that wakes the ticket for it."""
    content = {"delivery": str(delivery_id), "by": str(by)}
    event = insert(audit_events).values(tenant_id=tenant_id, kind="delivery_redelivered", content=content)
    return event.inline()  # the role may add events and read none


def _row(arrival: Arrival, delivery_id: UUID, key: DataKey) -> dict[str, object]:
    content = SealedBody(external_id=arrival.external_id, body=base64.b64encode(arrival.body).decode())
    return {
        "tenant_id": arrival.tenant_id,
        "id": delivery_id,
        "kind": arrival.kind,
        "source": arrival.source,
        "route": arrival.route,
        "delivery_key": arrival.delivery_key,
        "body": seal(key, content.model_dump_json().encode(), _aad(arrival.tenant_id, delivery_id)),
        "state": arrival.state,
        "traceparent": arrival.traceparent,
    }


def _addition(state: InboxState, row: dict[str, object]) -> ReturningInsert[Any]:
    # The kick rides along: heard at the commit, and only if the row is new.
    addition = insert(inbox).values(row).on_conflict_do_nothing()
    if state is InboxState.PENDING:
        return addition.returning(inbox.c.id, KICK)
    return addition.returning(inbox.c.id)


async def _existing(session: AsyncSession, arrival: Arrival) -> UUID:
    # A statement of its own: the one that lost the race does not see the row that won it.
    query = select(inbox.c.id).where(
        inbox.c.tenant_id == arrival.tenant_id,
        inbox.c.kind == arrival.kind,
        inbox.c.source == arrival.source,
        inbox.c.delivery_key == arrival.delivery_key,
    )
    found: UUID = (await session.execute(query)).scalar_one()
    return found


def _aad(tenant_id: UUID, delivery_id: UUID) -> bytes:
    return aad_of(tenant_id, "inbox", delivery_id)
