"""A person's word on an effect that nobody knew the end of. As `egress`, which alone moves effects."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Database
from adapters.postgres.tables import audit_events
from domain.effect import EffectState, Finding
from domain.model import EffectKey, RecordId

LOOKED_UP = "effect_looked_up"
HELD = text("select state from effects where tenant_id = :tenant and id = :key for update")
SETTLE = text("select state from record_effect(:tenant, :key, 'settled', null, null, null)")


async def settle(
    egress: Database, tenant_id: UUID, key: EffectKey, principal: RecordId, finding: Finding
) -> EffectState | None:
    """The state it had; only `unknown` is moved, and who found what is audited beside the move.

    None where there is no such effect.
    """
    told = {"effect": key, "principal": principal, "finding": finding}
    looked = insert(audit_events).values(tenant_id=tenant_id, kind=LOOKED_UP, content=told)
    named = {"tenant": tenant_id, "key": key}
    async with egress.transaction(tenant_id) as session:
        state = (await session.execute(HELD, named)).scalar()
        if state == EffectState.UNKNOWN:
            await session.execute(SETTLE, named)
            await session.execute(looked.inline())  # the role may add events and read none
    return EffectState(state) if state else None
