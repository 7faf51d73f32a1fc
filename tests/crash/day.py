"""A busy day: customers write, teammates vote as soon as they are asked, and nothing may get lost or doubled.

Whatever is down at the moment is asked again: the day goes on while servers die.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import LiteralString
from uuid import UUID

import httpx
import psycopg
import sqlalchemy.exc
from psycopg_pool import PoolTimeout

from adapters.postgres.ticket_lists import TicketLine
from cli.demo_watch import RESTING, WAITING, Ending, Sent
from domain.errors import KeyStoreUnavailable
from tests.crash.errands import Errand, Seen
from tests.end_to_end.polling import PAUSE_S, eventually
from tests.end_to_end.system import Json, Person, System

AWAY = (
    KeyStoreUnavailable,
    psycopg.OperationalError,
    sqlalchemy.exc.DBAPIError,
    PoolTimeout,
    httpx.TransportError,
)
UNFINISHED: LiteralString = """
    SELECT kind, state, attempts, not_before - now() FROM countersign.inbox
    WHERE state IN ('pending', 'dispatched')"""
PATIENCE_S = 120.0  # seconds are enough where nothing else runs
VOTERS = {"harbour_books": "U0MARTA", "alpine_gear": "U0SELMA"}


@dataclass
class Task:
    """An errand that became a ticket."""

    errand: Errand
    sent: Sent
    order: str = ""
    voted: bool = False


@dataclass
class Day:
    """Tickets under way."""

    system: System
    tasks: Sequence[Task]
    pause_s: float = PAUSE_S  # between looks, which cost the workers' time where tickets are many
    _lines: Mapping[UUID, TicketLine] = field(default_factory=dict)

    @property
    def at_rest(self) -> int:
        """How many came to rest, at the last look."""
        return sum(line.stage in RESTING and line.turns > 0 for line in self._lines.values())

    @property
    def waiting(self) -> int:
        """How many wait for a person."""
        return sum(line.stage in WAITING for line in self._lines.values())

    async def go_on(self, until_at_rest: int, within_s: float = PATIENCE_S) -> None:
        """Votes and watches until so many tickets came to rest."""
        deadline = monotonic() + within_s
        while self.at_rest < until_at_rest:
            assert monotonic() < deadline, self._unfinished()
            try:
                await self.look()
            except AWAY:
                await asyncio.sleep(PAUSE_S)

    async def look(self) -> None:
        """One look at all tickets, and a vote wherever one is asked for."""
        tenants = {task.sent.ticket.tenant_id for task in self.tasks}
        newest = [await self.system.connected.tickets.newest(tenant, 1000) for tenant in tenants]
        ours = {task.sent.ticket.ticket_id for task in self.tasks}
        self._lines = {
            line.ticket.ticket_id: line for lines in newest for line in lines if line.ticket.ticket_id in ours
        }
        await asyncio.gather(*(self._vote(task) for task in self.tasks if self._asks(task)))
        await asyncio.sleep(self.pause_s)

    async def end(self, within_s: float = PATIENCE_S) -> None:
        """Waits until all rest and nothing is under way; then the accounts are right."""
        await self.go_on(len(self.tasks), within_s)
        await self._quiet(within_s)
        seen = await self.seen()
        wrong = {
            task.sent.name: (task.errand.seen, seen[task.sent.name])
            for task in self.tasks
            if seen[task.sent.name] != task.errand.seen
        }
        assert wrong == {}

    async def seen(self) -> Mapping[str, Seen]:
        """What the outside has of each ticket."""
        states = {
            tenant: await self.system.state(tenant) for tenant in {task.sent.tenant for task in self.tasks}
        }
        return {task.sent.name: await self._seen(task, states[task.sent.tenant]) for task in self.tasks}

    async def _seen(self, task: Task, state: Json) -> Seen:
        line = self._lines[task.sent.ticket.ticket_id]
        effects = await self.system.effects(task.sent)
        assert {effect.state for effect in effects} == {"confirmed"}, (task.sent.name, effects)
        (ticket,) = [ticket for ticket in state["tickets"] if ticket["id"] == task.sent.number]
        ours = Counter(m["public"] for m in ticket["messages"] if m["author"] == "automation")
        keys = {effect.id for effect in effects if effect.type == "slack_post"}
        return Seen(
            ending=Ending(line, effects).kind,
            replies=ours[True],
            notes=ours[False],
            refunds=sum(refund["payment_id"] == f"pay_{task.order}" for refund in state["refunds"]),
            cards=sum(_posted_by(message) in keys for message in state["slack"]["messages"]),
        )

    def _asks(self, task: Task) -> bool:
        line = self._lines.get(task.sent.ticket.ticket_id)
        return bool(line and line.stage in WAITING and not task.voted and task.errand.vote)

    async def _vote(self, task: Task) -> None:
        for approval in await self.system.connected.tickets.pending_approvals(task.sent.ticket):
            order = {
                "user": VOTERS[task.sent.tenant],
                "action_id": task.errand.vote,
                "approval": approval,
                "reason": "As agreed",
                "within_s": 0,
            }
            task.voted = await self._click(order)

    async def _click(self, order: Json) -> bool:
        """False where the card is not there yet, or the click was not acknowledged."""
        try:
            answer = await self.system.emulators.ask("POST", "/slack/click", order)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
            return False
        return bool(answer["ok"])

    async def _quiet(self, within_s: float) -> None:
        deadline = monotonic() + within_s
        while noise := await self._noise():
            assert monotonic() < deadline, noise
            await asyncio.sleep(PAUSE_S)

    async def _noise(self) -> Sequence[object]:
        """Whatever is still under way: rows of the inbox, open workflows, webhooks."""
        inbox = await self.system.records.rows(UNFINISHED)
        client = await self.system.connected.temporal()
        running = [run.id async for run in client.list_workflows("ExecutionStatus = 'Running'")]
        hooks = [hook for hook in await webhooks(self.system, self.tasks) if hook["state"] != "delivered"]
        return [*inbox, *running, *hooks]

    def _unfinished(self) -> str:
        lines = [(task.sent.name, self._lines.get(task.sent.ticket.ticket_id)) for task in self.tasks]
        stages = [(name, line.stage if line else None) for name, line in lines]
        return f"{self.at_rest} of {len(self.tasks)} at rest: {stages}"


async def begin(system: System, errands: Iterable[Errand]) -> Day:
    """All customers write at once."""
    errands = list(errands)
    people = [_person(system) for _ in errands]
    orders = [
        await system.sell(errand.tenant, person, errand.price) if errand.price else ""
        for errand, person in zip(errands, people, strict=True)
    ]
    new = [
        {
            "brand": errand.tenant,
            "subject": "A question",
            "body": errand.words.format(order=order),
            "requester": person.record(),
        }
        for errand, person, order in zip(errands, people, orders, strict=True)
    ]
    opened = (await system.emulators.ask("POST", "/tickets", {"tickets": new}))["tickets"]
    tasks = [
        Task(errand, await _sent(system, errand.tenant, str(ticket["id"])), order)
        for errand, order, ticket in zip(errands, orders, opened, strict=True)
    ]
    return Day(system, tasks)


async def _sent(system: System, tenant: str, number: str) -> Sent:
    """Our own connections may be those of a server that was killed."""

    async def found() -> Sent | None:
        try:
            return await system.sent(tenant, number)
        except AWAY:
            return None

    return await eventually(found, f"the name of {tenant}/{number}")


async def webhooks(system: System, tasks: Sequence[Task]) -> Sequence[Json]:
    """What became of the announcements of these tickets, our own echoes included."""
    numbers = {(task.sent.tenant, task.sent.number) for task in tasks}
    return [
        hook
        for tenant in {task.sent.tenant for task in tasks}
        for hook in (await system.state(tenant))["webhooks"]
        if (tenant, hook["ticket_id"]) in numbers
    ]


def _person(system: System) -> Person:
    number = next(system._numbers)
    return Person(f"Visitor {number}", f"visitor.{number}@example.com")


def _posted_by(message: Json) -> str | None:
    payload = (message["metadata"] or {}).get("event_payload", {})
    found: str | None = payload.get("posted_by")
    return found
