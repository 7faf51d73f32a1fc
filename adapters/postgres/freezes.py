"""Freezes stop claims: of one action type or of everything, for one tenant or for all."""

from uuid import UUID

from sqlalchemy import text

from adapters.postgres.session import Database
from domain.action import ActionType
from domain.model import Code

EVERYTHING = "all"
EVERY_TENANT = UUID(int=0)

FREEZE = text("select freeze_scope(:tenant, :scope, :reason)")
LIFT = text("select lift_freeze(:tenant, :scope)")


class Freezes:
    """Works as `app`. From the commit of a freeze no claim in its scope succeeds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def freeze(self, tenant_id: UUID, scope: ActionType | None, reason: Code) -> None:
        """Without an action type: everything. `EVERY_TENANT` freezes all. Repeating is safe."""
        values = {"tenant": tenant_id, "scope": scope or EVERYTHING, "reason": reason}
        await self._database.call(FREEZE, values)

    async def lift(self, tenant_id: UUID, scope: ActionType | None) -> None:
        """Repeating is safe."""
        await self._database.call(LIFT, {"tenant": tenant_id, "scope": scope or EVERYTHING})
