"""What in a tenant's tables needs an operator: counts and the first few ids, in one query. As `app`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from adapters.postgres.session import Database

NAMED = 5

# A row is named by its ticket where it has one, else by itself. Every window is in seconds.
NEEDS = text(f"""
    with needs (alarm, named, at) as (
        select 'quarantined', id::text, updated_at from tickets
         where tenant_id = :tenant and reason = 'quarantined' and stage = 'handed_over'
           and updated_at > now() - make_interval(secs => :quarantined)
        union all
        select 'inbox_waits', id::text, received_at from inbox
         where tenant_id = :tenant and state = 'pending'
           and greatest(received_at, not_before) < now() - make_interval(secs => :inbox_waits)
        union all
        select 'inbox_waits', id::text, received_at from inbox
         where tenant_id = :tenant and state = 'pending' and attempts > 2 and not_before > now()
        union all
        select 'unroutable', id::text, received_at from inbox
         where tenant_id = :tenant and state = 'unroutable'
        union all
        select 'effects_unknown', id, moved_at from effects
         where tenant_id = :tenant and state = 'unknown'
        union all
        select 'effects_claimed', id, moved_at from effects
         where tenant_id = :tenant and state = 'claimed'
           and greatest(claimed_at, moved_at) < now() - make_interval(secs => :effects_claimed)
        union all
        select 'approvals_overdue', id, expires_at from approvals
         where tenant_id = :tenant and status = 'pending'
           and expires_at < now() - make_interval(secs => :approvals_overdue)
    )
    select alarm, count(*) as rows, (array_agg(named order by at))[1:{NAMED}] as named
      from needs group by alarm
""")  # noqa: S608 - our own constant


@dataclass(frozen=True)
class Need:
    """How many there are, and the oldest of them."""

    count: int
    named: Sequence[str]


class OperatorCounts:
    """One tenant at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant_id: UUID, windows: Mapping[str, float]) -> Mapping[str, Need]:
        """By alarm; an alarm without rows is left out."""
        async with self._database.transaction(tenant_id) as session:
            rows = (await session.execute(NEEDS, _values(tenant_id, windows))).all()
        return {row.alarm: Need(row.rows, row.named) for row in rows}


def _values(tenant_id: UUID, windows: Mapping[str, float]) -> dict[str, Any]:
    return {"tenant": tenant_id, **windows}
