"""Wakes the workflow of each ticket that something arrived for. Knows references only, never a body.

Signal before mark: a crash between the two wakes a ticket twice, which it notices; never not at all.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from itertools import zip_longest
from typing import Protocol
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from adapters.postgres.relay_inbox import Batch, WaitingRow
from adapters.tracing import continued
from domain.errors import KeyStoreUnavailable
from domain.ticket import TicketRef
from workflows.ids import start_or_signal

log = structlog.get_logger("worker.relay")

AT_ONCE = 16
PATIENCE_S = 5.0
FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=5)
# Temporal refuses this very message; everything else it says concerns all of them.
ROW_REFUSED = frozenset({RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.OUT_OF_RANGE})


class TemporalAway(Exception):
    """Nothing can be woken now; the rows wait."""

    def __init__(self) -> None:
        super().__init__("Temporal does not take messages just now")


class TicketWaker(Protocol):
    """Wakes tickets."""

    async def wake(self, ticket: TicketRef, delivery_id: UUID) -> None:
        """Repeating is safe. Raises `TemporalAway`; anything else concerns this row only."""
        ...


class WaitingDeliveries(Protocol):
    """Where rows wait."""

    def batch(self) -> AbstractAsyncContextManager[Batch]:
        """A few rows of each of some tenants, locked until its end."""
        ...


class TemporalWaker:
    """Signals with start, so that a closed or unknown ticket gets a run."""

    def __init__(self, client: Client, patience_s: float = PATIENCE_S) -> None:
        self._client = client
        self._patience_s = patience_s

    async def wake(self, ticket: TicketRef, delivery_id: UUID) -> None:
        """Repeating is safe: the delivery's id is known to the workflow that saw it."""
        try:
            async with asyncio.timeout(self._patience_s):
                await start_or_signal(self._client, ticket, delivery_id)
        except (TimeoutError, KeyStoreUnavailable) as error:
            raise TemporalAway from error
        except RPCError as error:
            if error.status in ROW_REFUSED:
                raise
            raise TemporalAway from error


class Relay:
    """One relay; several may run, each row is taken by one."""

    def __init__(self, inbox: WaitingDeliveries, waker: TicketWaker) -> None:
        self._inbox = inbox
        self._waker = waker
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._away = False

    async def round(self) -> bool:
        """One batch. True where more may be waiting.

        Raises `TemporalAway`, after marking what went through before.
        """
        self._away = False
        async with self._inbox.batch() as batch:
            rows = _in_turns(batch.rows)
            results = await asyncio.gather(*map(self._wake, rows), return_exceptions=True)
            outcomes = list(zip(rows, results, strict=True))
            await batch.mark_dispatched([row for row, result in outcomes if result is None])
            away = [result for result in results if isinstance(result, TemporalAway)]
            for row, result in outcomes:
                if result is not None and not isinstance(result, TemporalAway):
                    await self._set_aside(batch, row, result)
        if away:
            raise away[0]
        return bool(rows) or batch.more

    async def _wake(self, row: WaitingRow) -> None:
        if row.route is None:
            raise RowWithoutRoute
        ticket = TicketRef(tenant_id=row.tenant_id, route=row.route)
        async with self._slots:
            if self._away:  # found out by a row before this one
                raise TemporalAway
            with continued(row.traceparent):
                await self._wake_ticket(ticket, row.id)

    async def _wake_ticket(self, ticket: TicketRef, delivery_id: UUID) -> None:
        try:
            await self._waker.wake(ticket, delivery_id)
        except TemporalAway:
            self._away = True
            raise

    async def _set_aside(self, batch: Batch, row: WaitingRow, error: BaseException) -> None:
        if not isinstance(error, Exception):
            raise error
        log.error(
            "delivery_set_aside", delivery_id=str(row.id), error=type(error).__name__, attempts=row.attempts
        )
        await batch.delay(row, _delay(row.attempts))


class RowWithoutRoute(Exception):
    """A row that names no ticket should not wait for a relay."""

    def __init__(self) -> None:
        super().__init__("The row names no ticket")


def _delay(attempts: int) -> timedelta:
    doubled: timedelta = FIRST_DELAY * (1 << min(attempts, 16))
    return min(doubled, LONGEST_DELAY)


def _in_turns(rows: Sequence[WaitingRow]) -> list[WaitingRow]:
    """One row of each tenant, then the next of each: nobody waits behind another tenant's pile."""
    piles: dict[UUID, list[WaitingRow]] = {}
    for row in rows:
        piles.setdefault(row.tenant_id, []).append(row)
    return [row for turn in zip_longest(*piles.values()) for row in turn if row is not None]
