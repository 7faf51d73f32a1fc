"""The `Artifacts` port: blobs under the ticket's key, named by a digest that only its holder can make."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.http import Clock, utc_now
from adapters.keys import aad_of, keyed_digest, open_sealed, seal
from adapters.postgres.session import Database
from adapters.postgres.tables import artifacts
from adapters.recent import Recent
from domain.errors import ArtifactExpired
from domain.model import ArtifactRef
from domain.ports import ArtifactKind, DataKey, Keys
from domain.ticket import TicketRef

# The steps of a turn follow each other in one process, and each reads what the one before wrote.
REMEMBER = 512
REMEMBER_S = 60.0
LARGEST_REMEMBERED = 64 * 1024


class _Kept(NamedTuple):
    """A sealed body: opening it still takes the ticket's key."""

    body: bytes
    expires_at: datetime | None


class PostgresArtifacts:
    """Works as `app`. The digest is keyed, so that one in history confirms nothing about a short text."""

    def __init__(self, database: Database, keys: Keys, clock: Clock = utc_now) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._recent: Recent[tuple[TicketRef, ArtifactRef], _Kept] = Recent(REMEMBER, REMEMBER_S)

    async def put(
        self, ticket: TicketRef, kind: ArtifactKind, content: bytes, ttl: timedelta | None = None
    ) -> ArtifactRef:
        """Stores and names; the same content has the same name, and the longer life wins."""
        key = await self._keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
        ref = _name(key, kind, content)
        kept = _Kept(seal(key, content, _aad(ticket, ref)), self._clock() + ttl if ttl else None)
        addition = insert(artifacts).values(
            tenant_id=ticket.tenant_id,
            ticket_id=ticket.ticket_id,
            id=ref,
            body=kept.body,
            expires_at=kept.expires_at,
        )
        mine, new = artifacts.c, addition.excluded
        for_ever = or_(mine.expires_at.is_(None), new.expires_at.is_(None))
        lasting = addition.on_conflict_do_update(
            index_elements=list(artifacts.primary_key),
            set_={
                "body": func.coalesce(mine.body, new.body),
                "expires_at": case((for_ever, None), else_=func.greatest(mine.expires_at, new.expires_at)),
            },
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            await session.execute(lasting)
        self._remember(ticket, ref, kept)
        return ref

    async def name_of(self, ticket: TicketRef, kind: ArtifactKind, content: bytes) -> ArtifactRef:
        """What `put` would call it: tells whether content made again is what was stored."""
        return _name(await self._keys.ticket_key(ticket.tenant_id, ticket.ticket_id), kind, content)

    async def get(self, ticket: TicketRef, ref: ArtifactRef) -> bytes:
        """Raises `KeyDestroyed` after erasure and `ArtifactExpired` after its life."""
        key = await self._keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
        kept = self._recent.get((ticket, ref))
        if kept is None or _is_over(kept.expires_at, self._clock()):
            kept = await self._read(ticket, ref)
            self._remember(ticket, ref, kept)
        return open_sealed(key, kept.body, _aad(ticket, ref))

    async def _read(self, ticket: TicketRef, ref: ArtifactRef) -> _Kept:
        query = select(artifacts.c.body, artifacts.c.expires_at).where(
            artifacts.c.tenant_id == ticket.tenant_id,
            artifacts.c.ticket_id == ticket.ticket_id,
            artifacts.c.id == ref,
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            row = (await session.execute(query)).first()
        if row is None or row.body is None or _is_over(row.expires_at, self._clock()):
            raise ArtifactExpired
        return _Kept(row.body, row.expires_at)

    def _remember(self, ticket: TicketRef, ref: ArtifactRef, kept: _Kept) -> None:
        if len(kept.body) <= LARGEST_REMEMBERED:
            self._recent.put((ticket, ref), kept)

    async def drop_expired(self, tenant_id: UUID) -> int:
        """Forgets the bodies whose life is over; how many there were."""
        over = and_(
            artifacts.c.tenant_id == tenant_id,
            artifacts.c.expires_at <= self._clock(),
            artifacts.c.body.is_not(None),
        )
        dropped = update(artifacts).where(over).values(body=None).returning(artifacts.c.id)
        async with self._database.transaction(tenant_id) as session:
            return len((await session.execute(dropped)).all())


def _name(key: DataKey, kind: ArtifactKind, content: bytes) -> ArtifactRef:
    return f"{kind}_{keyed_digest(key, f'artifact/{kind}', content)}"


def _is_over(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and expires_at <= now


def _aad(ticket: TicketRef, ref: ArtifactRef) -> bytes:
    return aad_of(ticket.tenant_id, "artifact", ticket.ticket_id, ref)
