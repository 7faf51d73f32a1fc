"""Watches what becomes of the demo's tickets and says it in a line each."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from adapters.postgres.ticket_lists import EffectLine, TicketLine
from cli.connected import Connected
from domain.ticket import Stage, TicketRef

LOOK_EVERY_S = 0.25
WAITING = frozenset({Stage.WAITING_FOR_APPROVAL})
RESTING = frozenset({Stage.WAITING_FOR_CUSTOMER, Stage.HANDED_OVER, Stage.SETTLED})


@dataclass(frozen=True)
class Sent:
    """A ticket that was put into the helpdesk."""

    tenant: str
    number: str
    ticket: TicketRef

    @property
    def name(self) -> str:
        """As `countersign ticket` wants it."""
        return f"{self.tenant}/{self.number}"


@dataclass(frozen=True)
class Ending:
    """How a ticket's turn ended."""

    line: TicketLine
    effects: Sequence[EffectLine]

    def confirmed(self, type_: str) -> bool:
        """Whether such an effect is confirmed."""
        return any(effect.type == type_ and effect.state == "confirmed" for effect in self.effects)

    @property
    def kind(self) -> str:
        """In the words of the expectations: answered, refunded, handed_over or not_answered."""
        if self.line.stage == Stage.HANDED_OVER or self.line.outcome == "handed_over":
            return "handed_over"
        if self.confirmed("refund"):
            return "refunded"
        if self.line.outcome == "abandoned":
            return "not_answered"
        return "answered" if self.confirmed("reply") else str(self.line.outcome or self.line.stage)

    @property
    def because(self) -> str:
        """Where a teammate got it, or nobody an answer."""
        return (self.line.reason or "") if self.kind in {"handed_over", "not_answered"} else ""


class Watch:
    """Looks at the projection of tickets, one query per tenant and look."""

    def __init__(self, system: Connected, sent: Sequence[Sent]) -> None:
        self._system = system
        self._open = {entry.ticket.ticket_id: entry for entry in sent}
        self._waiting: set[UUID] = set()

    @property
    def unfinished(self) -> int:
        """How many have not come to rest."""
        return len(self._open)

    async def look(self) -> tuple[list[tuple[Sent, Ending]], list[Sent]]:
        """What came to rest since the last look, and what began to wait for a person."""
        lines = await self._lines()
        done = [(self._open[id_], line) for id_, line in lines.items() if rests(line)]
        asking = [self._open[id_] for id_, line in lines.items() if self._newly_waits(id_, line)]
        for entry, _ in done:
            del self._open[entry.ticket.ticket_id]
        return [(entry, await self._ending(entry, line)) for entry, line in done], asking

    async def rest(self, within_s: float) -> list[tuple[Sent, Ending]]:
        """Waits until nothing is unfinished or the time is over."""
        ended: list[tuple[Sent, Ending]] = []
        until = monotonic() + within_s
        while self._open and monotonic() < until:
            ended += (await self.look())[0]
            await asyncio.sleep(LOOK_EVERY_S)
        return ended

    def _newly_waits(self, id_: UUID, line: TicketLine) -> bool:
        if line.stage not in WAITING or id_ in self._waiting:
            return False
        self._waiting.add(id_)
        return True

    async def _lines(self) -> Mapping[UUID, TicketLine]:
        tenants = {entry.ticket.tenant_id for entry in self._open.values()}
        found = [line for tenant in tenants for line in await self._system.tickets.newest(tenant, 1000)]
        return {line.ticket.ticket_id: line for line in found if line.ticket.ticket_id in self._open}

    async def _ending(self, entry: Sent, line: TicketLine) -> Ending:
        return Ending(line, await self._system.tickets.effects_of(entry.ticket))


class Lookout:
    """Looks at all tickets at once, however many stories wait for theirs."""

    def __init__(self, system: Connected, tenants: Sequence[UUID]) -> None:
        self._system = system
        self._tenants = tenants
        self._lines: Mapping[UUID, TicketLine] = {}
        self._looked_at = 0.0
        self._looking = asyncio.Lock()

    async def until(self, sent: Sent, wanted: Callable[[TicketLine], bool]) -> TicketLine:
        """The ticket as soon as it is seen so."""
        while True:
            line = (await self._fresh()).get(sent.ticket.ticket_id)
            if line is not None and wanted(line):
                return line
            await asyncio.sleep(LOOK_EVERY_S)

    async def _fresh(self) -> Mapping[UUID, TicketLine]:
        async with self._looking:
            if monotonic() - self._looked_at >= LOOK_EVERY_S:
                found = [
                    t for tenant in self._tenants for t in await self._system.tickets.newest(tenant, 1000)
                ]
                self._lines = {line.ticket.ticket_id: line for line in found}
                self._looked_at = monotonic()
        return self._lines


def _standing(line: TicketLine) -> tuple[bool, bool, int]:
    return line.stage in WAITING, rests(line), line.turns


def rests(line: TicketLine) -> bool:
    """Whether nothing happens until somebody does something: after a turn, or where none was needed."""
    return line.stage in RESTING and (line.turns > 0 or line.outcome is not None)


class Feed:
    """Everything that comes to rest or begins to wait, tickets of earlier demos and new ones included."""

    def __init__(self, system: Connected, tenants: Mapping[UUID, str], sent: Sequence[Sent]) -> None:
        self._system = system
        self._tenants = tenants
        self._ours = {entry.ticket.ticket_id for entry in sent}
        self._seen: dict[UUID, tuple[bool, bool, int]] | None = None

    async def look(self) -> list[tuple[Sent, Ending]]:
        """What changed since the last look. What rested before the first one is not news."""
        lines = [line for tenant in self._tenants for line in await self._system.tickets.newest(tenant, 1000)]
        first = self._seen is None
        seen = self._seen if self._seen is not None else {}
        self._seen = {line.ticket.ticket_id: _standing(line) for line in lines}
        news = [
            line
            for line in lines
            if (line.stage in WAITING or rests(line))
            and seen.get(line.ticket.ticket_id) != _standing(line)
            and not (first and line.ticket.ticket_id not in self._ours)
        ]
        return [(self._named(line), await self._ending(line)) for line in reversed(news)]

    def _named(self, line: TicketLine) -> Sent:
        return Sent(self._tenants[line.ticket.tenant_id], line.external_id, line.ticket)

    async def _ending(self, line: TicketLine) -> Ending:
        return Ending(line, await self._system.tickets.effects_of(line.ticket))
