"""Lists of tickets and what was decided and done about one: read models for operators."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from adapters.keys import EnvelopeKeys, aad_of, open_sealed
from adapters.postgres.session import Database
from adapters.postgres.tables import approvals, decisions, effects, tickets
from domain.conversation import TextModel
from domain.fact import Money
from domain.ticket import TicketRef

LONGEST_LIST = 1000


class TicketLine(TextModel):
    """One ticket in a list."""

    ticket: TicketRef
    external_id: str  # empty before the helpdesk was first read
    stage: str
    owner: str
    outcome: str | None
    reason: str | None
    turns: int
    updated_at: datetime
    held_by: str | None = None  # the principal who took it


class DecisionLine(TextModel):
    """One policy decision, with its words for people."""

    id: str
    action: str
    verdict: str
    rules: tuple[str, ...]
    messages: tuple[str, ...]
    amount: str = ""


class EffectLine(TextModel):
    """One outward effect."""

    id: str
    type: str
    state: str
    refusal: str | None
    receipt: str | None


class TicketLists:
    """Works as `app`."""

    def __init__(self, database: Database, keys: EnvelopeKeys) -> None:
        self._database = database
        self._keys = keys

    async def newest(self, tenant_id: UUID, limit: int = 50) -> Sequence[TicketLine]:
        """The tickets that changed last, newest first."""
        query = (
            select(tickets)
            .where(tickets.c.tenant_id == tenant_id)
            .order_by(tickets.c.updated_at.desc())
            .limit(min(limit, LONGEST_LIST))
        )
        return await self._lines(tenant_id, query)

    async def numbers(self, tenant_id: UUID, ids: Sequence[str]) -> list[str]:
        """What the helpdesk calls the tickets of these ids, in their order; the id where it is not known."""
        query = select(tickets).where(tickets.c.tenant_id == tenant_id, tickets.c.id.in_(map(UUID, ids)))
        lines = await self._lines(tenant_id, query)
        known = {str(line.ticket.ticket_id): line.external_id for line in lines}
        return [known.get(each) or each for each in ids]

    async def one(self, ticket: TicketRef) -> TicketLine | None:
        """None where the ticket has never been worked on."""
        query = select(tickets).where(
            tickets.c.tenant_id == ticket.tenant_id, tickets.c.id == ticket.ticket_id
        )
        return next(iter(await self._lines(ticket.tenant_id, query)), None)

    async def decisions_of(self, ticket: TicketRef) -> Sequence[DecisionLine]:
        """Oldest first."""
        query = (
            select(decisions)
            .where(decisions.c.tenant_id == ticket.tenant_id, decisions.c.ticket_id == ticket.ticket_id)
            .order_by(decisions.c.decided_at, decisions.c.turn)
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            return [_decision(row) for row in (await session.execute(query)).all()]

    async def effects_of(self, ticket: TicketRef) -> Sequence[EffectLine]:
        """Oldest first."""
        query = (
            select(effects)
            .where(effects.c.tenant_id == ticket.tenant_id, effects.c.ticket_id == ticket.ticket_id)
            .order_by(effects.c.intended_at)
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            return [_effect(row) for row in (await session.execute(query)).all()]

    async def pending_approvals(self, ticket: TicketRef) -> Sequence[str]:
        """Ids of the questions nobody has answered yet."""
        query = select(approvals.c.id).where(
            approvals.c.tenant_id == ticket.tenant_id,
            approvals.c.ticket_id == ticket.ticket_id,
            approvals.c.status == "pending",
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            return (await session.execute(query)).scalars().all()

    async def _lines(self, tenant_id: UUID, query: Select[Any]) -> Sequence[TicketLine]:
        async with self._database.transaction(tenant_id) as session:
            rows = (await session.execute(query)).all()
        named = [row.id for row in rows if row.external_id is not None]
        opened = await self._keys.ticket_keys(tenant_id, named)
        names = {
            row.id: open_sealed(opened[row.id], row.external_id, aad_of(tenant_id, "ticket", row.id)).decode()
            for row in rows
            if row.id in opened
        }
        return [_line(tenant_id, row, names) for row in rows]


def _line(tenant_id: UUID, row: Row[tuple[object, ...]], names: Mapping[UUID, str]) -> TicketLine:
    return TicketLine(
        ticket=TicketRef(tenant_id=tenant_id, route=row.route),
        external_id=names.get(row.id, ""),
        stage=row.stage,
        owner=row.owner,
        outcome=row.outcome,
        reason=row.reason,
        turns=row.turns,
        updated_at=row.updated_at,
        held_by=row.held_by,
    )


def _decision(row: Row[tuple[object, ...]]) -> DecisionLine:
    amount = row.input["action"].get("amount")
    return DecisionLine(
        id=row.id,
        action=row.action_type,
        verdict=row.verdict,
        rules=tuple(f"{reason['rule']}/{reason['code']}" for reason in row.reasons),
        messages=tuple(row.messages),
        amount=str(Money.model_validate(amount)) if amount else "",
    )


def _effect(row: Row[tuple[object, ...]]) -> EffectLine:
    return EffectLine(id=row.id, type=row.type, state=row.state, refusal=row.refusal, receipt=row.receipt_id)
