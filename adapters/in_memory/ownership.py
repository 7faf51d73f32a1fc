"""`Ownership` over the fakes' tickets and ledger, with the database function's rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.in_memory.records import InMemoryTickets
from domain.audit import PerformedEffect
from domain.effect import EffectState
from domain.model import Code, EffectKey, RecordId
from domain.ownership import (
    ADMIN_ROLE,
    TEAMMATE_ROLE,
    OwnerChange,
    OwnershipRefusal,
    OwnershipRefused,
)
from domain.ticket import ClosingRecord, Outcome, Owner, Stage, TicketRef

UNENDED = frozenset({EffectState.CLAIMED, EffectState.SENT, EffectState.UNKNOWN})
ENDED_AUTOMATION = frozenset({Outcome.HANDED_OVER, Outcome.ABANDONED})
STOPPED = "stopped"
HANDED_BACK = "handed_back"


@dataclass(frozen=True)
class Person:
    """What a principal is entitled to."""

    groups: tuple[Code, ...] = ()
    roles: tuple[Code, ...] = ()


class InMemoryOwnership:
    """Principals by id; effects as a test puts them."""

    def __init__(self, tickets: InMemoryTickets, people: Mapping[RecordId, Person]) -> None:
        self.people = dict(people)
        self.effects: dict[TicketRef, dict[EffectKey, PerformedEffect]] = {}
        self._tickets = tickets
        self._holders: dict[TicketRef, RecordId] = {}
        self._stopped: set[TicketRef] = set()

    async def take_over(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """Creates the ticket; the same word again changes nothing."""
        self._require_entitled(principal)
        if self._holders.get(ticket) == principal and ticket not in self._stopped:
            return self._answer(ticket, changed=False)
        outcome = self._record(ticket).outcome if ticket not in self._stopped else None
        self._stopped.discard(ticket)
        return self._change(ticket, principal, outcome, "taken_over")

    async def hand_back(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """By whoever holds it, by an admin, or by anybody where nobody does."""
        person = self._require_entitled(principal)
        record = self._require_known(ticket)
        if record.owner is not Owner.TEAMMATE and self._tickets.reasons.get(ticket, [])[-1:] == [HANDED_BACK]:
            return self._answer(ticket, changed=False)
        if record.owner is not Owner.TEAMMATE:
            raise OwnershipRefused(OwnershipRefusal.NOT_TAKEN_OVER)
        if self._holders.get(ticket, principal) != principal and ADMIN_ROLE not in person.roles:
            raise OwnershipRefused(OwnershipRefusal.HELD_BY_ANOTHER)
        self._stopped.discard(ticket)
        outcome = None if record.outcome in ENDED_AUTOMATION else record.outcome
        return self._change(ticket, None, outcome, HANDED_BACK)

    async def stop(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """The same word again changes nothing."""
        self._require_entitled(principal)
        self._require_known(ticket)
        if self._holders.get(ticket) == principal and ticket in self._stopped:
            return self._answer(ticket, changed=False)
        self._stopped.add(ticket)
        return self._change(ticket, principal, Outcome.ABANDONED, STOPPED)

    async def standing(self, ticket: TicketRef, keys: Sequence[EffectKey]) -> Sequence[PerformedEffect]:
        """In the order they were put."""
        return [effect for effect in self.effects.get(ticket, {}).values() if effect.key in keys]

    def _require_entitled(self, principal: RecordId) -> Person:
        person = self.people.get(principal)
        if person is None:
            raise OwnershipRefused(OwnershipRefusal.UNKNOWN_PRINCIPAL)
        if not person.groups and not {TEAMMATE_ROLE, ADMIN_ROLE} & set(person.roles):
            raise OwnershipRefused(OwnershipRefusal.NOT_ENTITLED)
        return person

    def _require_known(self, ticket: TicketRef) -> ClosingRecord:
        if ticket not in self._tickets.records:
            raise OwnershipRefused(OwnershipRefusal.UNKNOWN_TICKET)
        return self._record(ticket)

    def _record(self, ticket: TicketRef) -> ClosingRecord:
        return self._tickets.records.get(ticket, ClosingRecord())

    def _change(
        self, ticket: TicketRef, holder: RecordId | None, outcome: Outcome | None, reason: str
    ) -> OwnerChange:
        record = self._record(ticket)
        self._tickets.records[ticket] = ClosingRecord(
            turns=record.turns,
            owner=Owner.TEAMMATE if holder else Owner.AUTOMATION,
            owner_epoch=record.owner_epoch + 1,
            outcome=outcome,
        )
        self._tickets.stages[ticket] = Stage.HANDED_OVER if holder else Stage.FETCHING
        self._tickets.reasons.setdefault(ticket, []).append(reason)
        self._holders.pop(ticket, None)
        if holder:
            self._holders[ticket] = holder
        return self._answer(ticket, changed=True)

    def _answer(self, ticket: TicketRef, *, changed: bool) -> OwnerChange:
        record = self._record(ticket)
        effects = self.effects.get(ticket, {}).values()
        return OwnerChange(
            owner=record.owner,
            held_by=self._holders.get(ticket),
            owner_epoch=record.owner_epoch,
            changed=changed,
            effects=tuple(effect for effect in effects if effect.state in UNENDED),
        )
