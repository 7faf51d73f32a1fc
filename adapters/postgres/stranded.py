"""Effects left `claimed` by a step that ran out of its time: nobody will find out any more how they ended.

Found as `relay`, across tenants; moved as `egress`, like everything after `intended`.
"""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import text

from adapters.postgres.session import Database

log = structlog.get_logger("adapters.stranded")

# A step performs for 15 minutes at most, and a claimed row notes each request: later than this none is alive.
STRANDED_AFTER = timedelta(minutes=20)
ROWS_PER_ROUND = 100

FIND = text("""
    select tenant_id, id from effects
     where state = 'claimed' and moved_at < clock_timestamp() - cast(:age as interval)
     order by moved_at limit :rows
""")
# Locked and looked at again: whoever answered in the meantime keeps what they wrote.
STILL = text("""
    select id from effects
     where tenant_id = :tenant and id = :id and state = 'claimed'
       and greatest(claimed_at, moved_at) < clock_timestamp() - cast(:age as interval)
       for update skip locked
""")
UNKNOWN = text("select state from record_effect(:tenant, :id, 'unknown', null, null, null)")


class StrandedEffects:
    """Any number may run: each row is moved by one."""

    def __init__(self, relay: Database, egress: Database, after: timedelta = STRANDED_AFTER) -> None:
        self._relay = relay
        self._egress = egress
        self._after = after

    async def round(self) -> bool:
        """Makes old claims unknown, each with its audit event. True where more may be waiting."""
        async with self._relay.across_tenants() as session:
            found = (await session.execute(FIND, {"age": self._after, "rows": ROWS_PER_ROUND})).all()
        moved = [row.id for row in found if await self._end(row.tenant_id, row.id)]
        if moved:
            log.warning("effects_became_unknown", effects=len(moved))
        return len(found) == ROWS_PER_ROUND and bool(moved)

    async def _end(self, tenant_id: UUID, effect_id: str) -> bool:
        named = {"tenant": tenant_id, "id": effect_id}
        async with self._egress.transaction(tenant_id) as session:
            held = (await session.execute(STILL, named | {"age": self._after})).first()
            if held is None:
                return False
            await session.execute(UNKNOWN, named)
        return True
