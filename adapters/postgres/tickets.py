"""The `Tickets` port: the projection of tickets, and who owns them."""

from typing import Any

from sqlalchemy import Row, Update, func, select, text, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from adapters.door_keys import number_aad
from adapters.keys import aad_of, open_sealed, seal
from adapters.postgres.measuring import measured
from adapters.postgres.session import Database
from adapters.postgres.tables import answered_messages, audit_events, tickets
from domain.audit import DecidedAction, PerformedEffect, TurnSettled
from domain.handoff import HandoffReason
from domain.model import MessageKey, Model, RecordId
from domain.ports import Keys
from domain.ticket import ClosingRecord, Outcome, Owner, Settlement, Stage, TicketRef

NAMED_LATER = ("source", "external_id", "number")
HANDED_BACK = "handed_back"
HAND_OVER = text("select hand_over_ticket(:tenant, :ticket, :route, :reason) as owner_epoch")

OF_TURN = text("""
select jsonb_build_object(
  'decisions', coalesce((select jsonb_agg(jsonb_build_object('decision_id', id, 'action', action_type,
      'verdict', verdict, 'policy_version', policy_version) order by decided_at, id)
    from decisions where tenant_id = :tenant and ticket_id = :ticket and turn = :turn), '[]'),
  'effects', coalesce((select jsonb_agg(jsonb_build_object('key', id, 'type', type, 'state', state)
      order by intended_at, id)
    from effects where tenant_id = :tenant and ticket_id = :ticket and turn = :turn), '[]'),
  'voters', coalesce((select jsonb_agg(vote.principal_id order by vote.cast_at)
    from approval_votes vote join approvals asked
      on asked.tenant_id = vote.tenant_id and asked.id = vote.approval_id
    join decisions made on made.tenant_id = asked.tenant_id and made.id = asked.decision_id
    where vote.tenant_id = :tenant and asked.ticket_id = :ticket and made.turn = :turn), '[]')
) as of_turn
""")


class OfTurn(Model):
    """What other tables know of a turn."""

    decisions: tuple[DecidedAction, ...]
    effects: tuple[PerformedEffect, ...]
    voters: tuple[RecordId, ...]


class PostgresTickets:
    """Works as `app`. The helpdesk's id of a ticket is sealed with the ticket's key."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    async def open(self, ticket: TicketRef, external_id: str, source: str) -> ClosingRecord:
        """Creates the row if it is new and returns what the last run left. Repeating is safe."""
        key = await self._keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
        # After the ticket's own key: an erased ticket must not get a new one for its number.
        shown = await self._keys.number_key(ticket.tenant_id, ticket.ticket_id)
        addition = insert(tickets).values(
            tenant_id=ticket.tenant_id,
            id=ticket.ticket_id,
            route=ticket.route,
            source=source,
            external_id=seal(key, external_id.encode(), _aad(ticket)),
            number=seal(shown, external_id.encode(), number_aad(ticket.tenant_id, ticket.ticket_id)),
        )
        # A handover may have made the row before the helpdesk could be read.
        known = addition.on_conflict_do_update(
            index_elements=[tickets.c.tenant_id, tickets.c.id],
            set_={name: func.coalesce(tickets.c[name], addition.excluded[name]) for name in NAMED_LATER},
        ).returning(tickets)
        async with self._database.transaction(ticket.tenant_id) as session:
            return _closing_record((await session.execute(known)).one())

    async def external_id(self, ticket: TicketRef) -> tuple[str, str] | None:
        """Source and the helpdesk's own id; None before the ticket was first read."""
        query = select(tickets.c.source, tickets.c.external_id).where(*_is(ticket))
        async with self._database.transaction(ticket.tenant_id) as session:
            row = (await session.execute(query)).first()
        if row is None or row.external_id is None:
            return None
        key = await self._keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
        return row.source, open_sealed(key, row.external_id, _aad(ticket)).decode()

    async def seen_messages(self, ticket: TicketRef) -> frozenset[str]:
        """Keys of the customer messages that earlier turns answered."""
        query = select(answered_messages.c.message).where(
            answered_messages.c.tenant_id == ticket.tenant_id,
            answered_messages.c.ticket_id == ticket.ticket_id,
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            return frozenset((await session.execute(query)).scalars())

    async def set_stage(self, ticket: TicketRef, stage: Stage) -> None:
        """For operators' lists."""
        async with self._database.transaction(ticket.tenant_id) as session:
            await session.execute(_changed(ticket, {"stage": stage}))

    async def settle(self, ticket: TicketRef, settlement: Settlement) -> None:
        """Writes everything at once; owner and epoch move by a handover only. Repeating is safe."""
        record = settlement.record
        changes = {
            "stage": settlement.stage,
            "outcome": record.outcome,
            "turns": func.greatest(tickets.c.turns, record.turns),
            "reason": settlement.reason,
        }
        async with self._database.transaction(ticket.tenant_id) as session:
            # A run that has not heard of a take-over yet must not write over what that has written.
            changed = _changed(ticket, changes).where(tickets.c.owner_epoch <= record.owner_epoch)
            await session.execute(changed)
            if settlement.message is not None:
                added = _answered(ticket, settlement.message, record.turns)
                if (await session.execute(added)).first() is not None:
                    await session.execute(await _audited(session, ticket, settlement, settlement.message))
                    await session.execute(*measured(ticket, settlement))

    async def hand_over(self, ticket: TicketRef, reason: HandoffReason) -> int:
        """Exclusive lock on the ticket, then the owner. One that is handed over keeps its epoch."""
        rows = await self._database.call(
            HAND_OVER,
            {
                "tenant": ticket.tenant_id,
                "ticket": ticket.ticket_id,
                "route": ticket.route,
                "reason": reason,
            },
        )
        return int(rows[0]["owner_epoch"])

    async def owner(self, ticket: TicketRef) -> tuple[Owner, int]:
        """The owner and the epoch; a ticket without a row is automation's."""
        query = select(tickets.c.owner, tickets.c.owner_epoch).where(*_is(ticket))
        async with self._database.transaction(ticket.tenant_id) as session:
            row = (await session.execute(query)).first()
        return (Owner(row.owner), row.owner_epoch) if row else (Owner.AUTOMATION, 0)


def _changed(ticket: TicketRef, changes: dict[str, Any]) -> Update:
    return update(tickets).where(*_is(ticket)).values(**changes, updated_at=func.now())


def _answered(ticket: TicketRef, message: str, turn: int) -> ReturningInsert[Any]:
    """A message must never get a second turn, and may be told of twice; then nothing is returned."""
    named = {"tenant_id": ticket.tenant_id, "ticket_id": ticket.ticket_id, "message": message, "turn": turn}
    added = insert(answered_messages).values(named).on_conflict_do_nothing()
    return added.returning(answered_messages.c.turn)


async def _audited(
    session: AsyncSession, ticket: TicketRef, settlement: Settlement, message: MessageKey
) -> Insert:
    """Once per turn, in the transaction that ends it."""
    record = settlement.record
    turn = {"tenant": ticket.tenant_id, "ticket": ticket.ticket_id, "turn": record.turns}
    known = OfTurn.model_validate((await session.execute(OF_TURN, turn)).scalar_one())
    event = TurnSettled(
        ticket_id=ticket.ticket_id,
        turn=record.turns,
        message=message,
        owner=record.owner,
        stage=settlement.stage,
        outcome=record.outcome,
        reason=settlement.reason,
        retrieved=settlement.retrieved,
        decisions=known.decisions,
        effects=known.effects,
        voters=known.voters,
    )
    content = event.model_dump(mode="json", exclude_none=True)
    added = insert(audit_events).values(tenant_id=ticket.tenant_id, kind="turn_settled", content=content)
    return added.inline()  # the role may add events and read none, not even the new one's id


def _is(ticket: TicketRef) -> tuple[Any, Any]:
    return tickets.c.tenant_id == ticket.tenant_id, tickets.c.id == ticket.ticket_id


def _aad(ticket: TicketRef) -> bytes:
    return aad_of(ticket.tenant_id, "ticket", ticket.ticket_id)


def _closing_record(row: Row[Any]) -> ClosingRecord:
    return ClosingRecord(
        turns=row.turns,
        owner=Owner(row.owner),
        owner_epoch=row.owner_epoch,
        outcome=Outcome(row.outcome) if row.outcome else None,
        restless=True if (row.stage, row.reason) == (Stage.FETCHING, HANDED_BACK) else None,
    )
