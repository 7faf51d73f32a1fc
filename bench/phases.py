"""Phases of one kind of worker on a running system: a few tickets to warm up, then those that count."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

import httpx
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bench.figures import APP, EMULATORS, POSTGRES, TEMPORAL, PhaseFigures
from bench.histories import Records
from bench.meter import CpuMeter, Part
from bench.texts import TENANT, new_ticket
from cli.connected import Connected
from cli.processes import Stack
from cli.readiness import connect_service, polling, until
from domain.ticket import Outcome, TicketRef
from workflows.ids import TICKET_QUEUE, ticket_workflow_id

TICKET_WORKER = "worker-1"
NO_OP_WORKER = "no-op-worker"
READY_WITHIN_S = 60.0
DRAINED_WITHIN_S = 60.0
LOOK_EVERY_S = 0.02
QUIET_S = 0.3  # lists of workflows are a moment late
LOOKS_QUIET = 2
AT_LEAST_S = 60.0
PER_TICKET_S = 3.0

Advance = Callable[[], None]


class NotAnswered(Exception):
    """Handed over tickets cost something else than answered ones."""

    def __init__(self, number: int) -> None:
        super().__init__(f"{number} tickets were not answered, so they measure nothing")


@dataclass(frozen=True)
class Load:
    """How much is sent in a phase."""

    tickets: int
    concurrency: int


@dataclass
class Bench:
    """A running system with both kinds of workers, of which one runs at a time."""

    stack: Stack
    system: Connected
    client: Client
    records: Records
    control: httpx.AsyncClient
    advance: Advance
    _phases: int = field(default=0)

    async def phase(self, worker: str, load: Load) -> PhaseFigures:
        """Starts the worker, measures its tickets and stops it."""
        self._phases += 1
        await self.stack.supervisor.resume(worker)
        try:
            await self._until_it_polls(worker)
            async with asyncio.timeout(AT_LEAST_S + PER_TICKET_S * load.tickets):
                # Imports, connections and sandboxes of a new process are no ticket's cost.
                await self._send(f"W{self._phases}", Load(2 * load.concurrency, load.concurrency))
                await self._drained()
                return await self._measured(worker, load)
        finally:
            await self.stack.supervisor.pause(worker)

    async def _measured(self, worker: str, load: Load) -> PhaseFigures:
        parts = self._parts(worker)
        since = datetime.fromtimestamp(time(), UTC)
        meter, started = CpuMeter.start(parts), monotonic()
        tickets = await self._send(f"B{self._phases}", load, answered=worker == TICKET_WORKER)
        seconds = monotonic() - started
        await self._drained()
        cpu_s = meter.seconds()
        memory = {part.name: part.memory_mib() for part in parts}
        return PhaseFigures(seconds, cpu_s, memory, await self.records.figures(tickets, since))

    def _parts(self, worker: str) -> tuple[Part, ...]:
        return (
            Part(APP, self._pids("api", worker)),
            Part(TEMPORAL, self._pids("temporal")),
            Part(POSTGRES, self._pids("postgres")),
            Part(EMULATORS, self._pids("emulators")),
        )

    def _pids(self, *names: str) -> tuple[int, ...]:
        found = [self.stack.supervisor.service(name).pid for name in names]
        return tuple(pid for pid in found if pid is not None)

    async def _until_it_polls(self, worker: str) -> None:
        service = await connect_service(self.stack.environments.embedded_temporal_address)
        namespace, pid = self.client.namespace, self._pids(worker)[0]

        async def polls() -> bool:
            return f"worker:{pid}" in await polling(service, namespace, TICKET_QUEUE)

        await until(worker, polls, READY_WITHIN_S, lambda: self.stack.supervisor.service(worker).last_words)

    async def _send(self, prefix: str, load: Load, *, answered: bool = False) -> Sequence[TicketRef]:
        """Keeps so many tickets under way until all have ended."""
        names = [f"{prefix}-{number}" for number in range(load.tickets)]
        tickets = [await self.system.ticket(f"{TENANT}/{name}") for name in names]
        slots = asyncio.Semaphore(load.concurrency)

        async def one(number: int) -> Any:
            async with slots:
                opened = await self.control.post("/control/tickets", json=new_ticket(number, names[number]))
                opened.raise_for_status()
                result = await self._result(tickets[number])
                self.advance()
                return result

        results = await asyncio.gather(*map(one, range(load.tickets)))
        unanswered = sum(not _is_answered(result) for result in results)
        if answered and unanswered:
            raise NotAnswered(unanswered)
        return tickets

    async def _result(self, ticket: TicketRef) -> Any:
        """Waits for the first run; one waiting call a ticket is what it costs the server."""
        handle = self.client.get_workflow_handle(ticket_workflow_id(ticket))
        while True:
            try:
                return await handle.result()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            await asyncio.sleep(LOOK_EVERY_S)

    async def _drained(self) -> None:
        """Until our own echoes have come back and nothing is under way."""
        quiet, deadline = 0, monotonic() + DRAINED_WITHIN_S
        while quiet < LOOKS_QUIET and monotonic() < deadline:
            busy = await self._announcing() or await self.records.pending() or await self.records.running()
            quiet = 0 if busy else quiet + 1
            await asyncio.sleep(QUIET_S)

    async def _announcing(self) -> int:
        state = await self.control.get("/control/state", params={"brand": TENANT})
        return sum(webhook["state"] == "pending" for webhook in state.json()["webhooks"])


def _is_answered(result: Any) -> bool:
    closed: Mapping[str, Any] = result or {}
    return bool(closed.get("record", {}).get("outcome") == Outcome.ASSUMED)


async def in_turns(
    phase: Callable[[str], Awaitable[PhaseFigures]], rounds: int
) -> list[tuple[PhaseFigures, PhaseFigures]]:
    """Rounds of (no-op, ticket), each round in the other order: what changes slowly favours neither."""
    measured = []
    for number in range(rounds):
        kinds = (NO_OP_WORKER, TICKET_WORKER)
        by_kind = {kind: await phase(kind) for kind in (kinds if number % 2 else kinds[::-1])}
        measured.append((by_kind[NO_OP_WORKER], by_kind[TICKET_WORKER]))
    return measured
