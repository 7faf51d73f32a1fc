"""The relay's side of the inbox: which rows wait, fairly over tenants, and how they are moved on.

The `relay` role sees all tenants and neither bodies nor external ids.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.inbox import InboxKind
from adapters.postgres.session import Database
from domain.model import RouteKey

TENANTS_PER_ROUND = 20
ROWS_PER_TENANT = 5
FROM_THE_START = UUID(int=0)

# Jumps from tenant to tenant along the index of pending rows, so that a tenant with a hundred thousand of
# them costs no more than one with a single row. The cursor goes on where the last round ended.
TAKE = text(
    """
    with recursive waiting (tenant_id, position) as (
        (select tenant_id, 1 from inbox
          where state = 'pending' and kind = :kind and tenant_id > :after order by tenant_id limit 1)
        union all
        select (select later.tenant_id from inbox later
                 where later.state = 'pending' and later.kind = :kind
                   and later.tenant_id > waiting.tenant_id
                 order by later.tenant_id limit 1),
               waiting.position + 1
          from waiting where waiting.tenant_id is not null and waiting.position < :tenants
    ), chosen as materialized (select tenant_id from waiting where tenant_id is not null)
    select chosen.tenant_id, taken.id, taken.route, taken.delivery_key, taken.attempts, taken.traceparent
      from chosen left join lateral (
        select id, route, delivery_key, attempts, traceparent from inbox
         where inbox.tenant_id = chosen.tenant_id and state = 'pending' and kind = :kind
           and not_before <= now()
         order by not_before, id limit :rows for update skip locked
      ) taken on true
    """
)
DISPATCHED = text(
    """
    update inbox set state = 'dispatched'
      from unnest(cast(:tenants as uuid[]), cast(:ids as uuid[])) as done (tenant_id, id)
     where inbox.tenant_id = done.tenant_id and inbox.id = done.id and inbox.state = 'pending'
    """
)
DELAYED = text(
    """
    update inbox set attempts = attempts + 1, not_before = now() + :delay
     where tenant_id = :tenant and id = :id and state = 'pending'
    """
)
RENEWED = text(
    """
    update inbox set not_before = now() + :life
     where tenant_id = :tenant and id = :id and state = 'pending'
    """
)


@dataclass(frozen=True)
class WaitingRow:
    """What a relay may know of an arrival."""

    tenant_id: UUID
    id: UUID
    route: RouteKey | None
    delivery_key: str
    attempts: int
    traceparent: str | None


@dataclass(frozen=True)
class Batch:
    """Rows locked for this relay until the batch ends. `more`: other tenants may be waiting."""

    rows: Sequence[WaitingRow]
    more: bool
    session: AsyncSession

    async def mark_dispatched(self, rows: Sequence[WaitingRow]) -> None:
        """Commits with the batch."""
        if rows:
            named = {"tenants": [row.tenant_id for row in rows], "ids": [row.id for row in rows]}
            await self.session.execute(DISPATCHED, named)

    async def delay(self, row: WaitingRow, by: timedelta) -> None:
        """The row waits, counted as one attempt; the others do not."""
        await self.session.execute(DELAYED, {"tenant": row.tenant_id, "id": row.id, "delay": by})


class RelayInbox:
    """Rows of one kind, a few per tenant and round."""

    def __init__(self, database: Database, kind: InboxKind) -> None:
        self._database = database
        self._kind = kind
        self._after = FROM_THE_START

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[Batch]:
        """Other relays skip these rows; marks are committed at the end, or none of them."""
        async with self._database.across_tenants() as session:
            found = (await session.execute(TAKE, self._bounds())).all()
            tenants = sorted({row.tenant_id for row in found})
            more = len(tenants) == TENANTS_PER_ROUND
            wrapped = bool(self._after != FROM_THE_START) and not more
            self._after = tenants[-1] if more else FROM_THE_START
            rows = [WaitingRow(*row) for row in found if row.id is not None]
            yield Batch(rows=rows, more=more or wrapped, session=session)

    async def lease(self, life: timedelta) -> Sequence[WaitingRow]:
        """Takes rows for `life` without holding a transaction: after it others may take them."""
        async with self.batch() as batch:
            for row in batch.rows:
                await batch.delay(row, life)
            return batch.rows

    async def renew(self, row: WaitingRow, life: timedelta) -> None:
        """Makes a lease last for `life` from now; not counted as an attempt."""
        async with self._database.across_tenants() as session:
            await session.execute(RENEWED, {"tenant": row.tenant_id, "id": row.id, "life": life})

    async def postpone(self, row: WaitingRow, by: timedelta) -> None:
        """Ends a lease: the row may be taken again after `by`."""
        async with self._database.across_tenants() as session:
            await session.execute(DELAYED, {"tenant": row.tenant_id, "id": row.id, "delay": by})

    def _bounds(self) -> dict[str, object]:
        return {
            "kind": self._kind,
            "after": self._after,
            "tenants": TENANTS_PER_ROUND,
            "rows": ROWS_PER_TENANT,
        }
