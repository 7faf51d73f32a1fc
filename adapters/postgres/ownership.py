"""The `Ownership` port: one call of a database function each, which authorises, locks and audits.

A refusal is audited by itself, because its function has changed nothing.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Database
from adapters.postgres.tables import audit_events
from domain.audit import PerformedEffect
from domain.model import EffectKey, RecordId
from domain.ownership import OwnerChange, OwnershipRefusal, OwnershipRefused
from domain.ticket import TicketRef

CHANGES = {
    "take_over": text("select take_over_ticket(:tenant, :ticket, :route, :principal) as answer"),
    "hand_back": text("select hand_back_ticket(:tenant, :ticket, :principal) as answer"),
    "stop": text("select stop_ticket(:tenant, :ticket, :principal) as answer"),
}
STANDING = text("select effects_standing(:tenant, :ticket, :keys) as answer")

REFUSED = "ticket_command_refused"

EFFECTS = TypeAdapter(tuple[PerformedEffect, ...])


class PostgresOwnership:
    """Works as `app` and as `door`: both may call the functions and neither may change an owner itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_over(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """Raises `OwnershipRefused`."""
        return await self._change("take_over", ticket, principal)

    async def hand_back(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """Raises `OwnershipRefused`."""
        return await self._change("hand_back", ticket, principal)

    async def stop(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """Raises `OwnershipRefused`."""
        return await self._change("stop", ticket, principal)

    async def standing(self, ticket: TicketRef, keys: Sequence[EffectKey]) -> Sequence[PerformedEffect]:
        """Oldest first."""
        answer = await self._call(STANDING, ticket, {"keys": list(keys)})
        return EFFECTS.validate_python(answer)

    async def _change(self, word: str, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        answer = await self._call(CHANGES[word], ticket, {"principal": principal})
        if "refusal" in answer:
            refusal = OwnershipRefusal(answer["refusal"])
            await self._remember(word, ticket, principal, refusal)
            raise OwnershipRefused(refusal)
        return OwnerChange.model_validate(answer)

    async def _remember(
        self, word: str, ticket: TicketRef, principal: RecordId, refusal: OwnershipRefusal
    ) -> None:
        """In a transaction of its own: the refused one has written nothing."""
        told = {"word": word, "ticket": str(ticket.ticket_id), "principal": principal, "why": refusal}
        added = insert(audit_events).values(tenant_id=ticket.tenant_id, kind=REFUSED, content=told)
        async with self._database.transaction(ticket.tenant_id) as session:
            await session.execute(added.inline())  # the role may add events and read none

    async def _call(self, function: TextClause, ticket: TicketRef, values: dict[str, Any]) -> Any:
        named = {
            "tenant": ticket.tenant_id,
            "ticket": ticket.ticket_id,
            "route": ticket.route,
            **values,
        }
        return (await self._database.call(function, named))[0]["answer"]
