"""A person's word on an effect that nobody knew the end of. As `egress`, which alone moves effects."""

from uuid import UUID

from sqlalchemy import text

from adapters.postgres.session import Database
from domain.effect import EffectState
from domain.model import EffectKey

HELD = text("select state from effects where tenant_id = :tenant and id = :key for update")
SETTLE = text("select state from record_effect(:tenant, :key, 'settled', null, null, null)")


async def settle(egress: Database, tenant_id: UUID, key: EffectKey) -> EffectState | None:
    """The state it had; only `unknown` is moved, with its audit event. None where there is no such effect."""
    named = {"tenant": tenant_id, "key": key}
    async with egress.transaction(tenant_id) as session:
        state = (await session.execute(HELD, named)).scalar()
        if state == EffectState.UNKNOWN:
            await session.execute(SETTLE, named)
    return EffectState(state) if state else None
