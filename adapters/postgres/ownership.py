"""The `Ownership` port: one call of a database function each, which authorises, locks and audits."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import TextClause, text

from adapters.postgres.session import Database
from domain.audit import PerformedEffect
from domain.model import EffectKey, RecordId
from domain.ownership import OwnerChange, OwnershipRefusal, OwnershipRefused
from domain.ticket import TicketRef

TAKE_OVER = text("select take_over_ticket(:tenant, :ticket, :route, :principal) as answer")
HAND_BACK = text("select hand_back_ticket(:tenant, :ticket, :principal) as answer")
STOP = text("select stop_ticket(:tenant, :ticket, :principal) as answer")
STANDING = text("select effects_standing(:tenant, :ticket, :keys) as answer")

EFFECTS = TypeAdapter(tuple[PerformedEffect, ...])


class PostgresOwnership:
    """Works as `app` and as `door`: both may call the functions and neither may change an owner itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_over(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """Raises `OwnershipRefused`."""
        return await self._change(TAKE_OVER, ticket, principal)

    async def hand_back(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """Raises `OwnershipRefused`."""
        return await self._change(HAND_BACK, ticket, principal)

    async def stop(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """Raises `OwnershipRefused`."""
        return await self._change(STOP, ticket, principal)

    async def standing(self, ticket: TicketRef, keys: Sequence[EffectKey]) -> Sequence[PerformedEffect]:
        """Oldest first."""
        answer = await self._call(STANDING, ticket, {"keys": list(keys)})
        return EFFECTS.validate_python(answer)

    async def _change(self, function: TextClause, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        answer = await self._call(function, ticket, {"principal": principal})
        if "refusal" in answer:
            raise OwnershipRefused(OwnershipRefusal(answer["refusal"]))
        return OwnerChange.model_validate(answer)

    async def _call(self, function: TextClause, ticket: TicketRef, values: dict[str, Any]) -> Any:
        named = {
            "tenant": ticket.tenant_id,
            "ticket": ticket.ticket_id,
            "route": ticket.route,
            **values,
        }
        return (await self._database.call(function, named))[0]["answer"]
