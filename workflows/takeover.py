"""A ticket that a person takes away from automation, whatever its run is doing at that moment.

The fence in Postgres is closed before a run hears of it; a run only stops what can be stopped. An effect that
is under way is never cut: it ends as the ledger says, and the turn remembers it.
"""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError

from domain.ownership import Stop, TakeOver
from domain.ticket import ClosingRecord, Owner
from workflows.turn import HandOver

T = TypeVar("T")


class TakenOver(Exception):
    """The turn was cut, or ended while somebody took the ticket."""

    def __init__(self) -> None:
        super().__init__("The ticket was taken over")


class Takeover:
    """The newest order of a person, and the turn that it cuts."""

    def __init__(self, order: TakeOver | Stop | None = None) -> None:
        self._order = order
        self._heard = False
        self._turn: asyncio.Task[None] | None = None

    def happen(self, order: TakeOver | Stop) -> None:
        """Once per epoch; an older order says nothing any more."""
        if self._order is None or order.owner_epoch > self._order.owner_epoch:
            self._order, self._heard = order, False
            if self._turn is not None:
                self._turn.cancel()

    @property
    def order(self) -> TakeOver | Stop | None:
        """To be carried over, and to say what happened."""
        return self._order

    @property
    def is_news(self) -> bool:
        """Whether nothing has been done about it yet."""
        return self._order is not None and not self._heard

    def hear(self) -> None:
        """Something has been done about it."""
        self._heard = True

    def over(self, record: ClosingRecord) -> ClosingRecord:
        """What was read, corrected by what was ordered after it was read."""
        order = self._order
        if order is None or order.owner_epoch <= record.owner_epoch:
            self._order = None
            return record
        return ClosingRecord(
            turns=record.turns, owner=Owner.TEAMMATE, owner_epoch=order.owner_epoch, outcome=record.outcome
        )

    async def cuts(self, turn: Coroutine[object, object, None]) -> None:
        """Runs a turn until it ends or is cut. Raises `TakenOver`, or what the turn raises."""
        if self.is_news:
            turn.close()
            raise TakenOver
        self._turn = asyncio.create_task(turn)
        try:
            await self._turn
        except (asyncio.CancelledError, FailureError, HandOver):
            if not self.is_news:
                raise
        finally:
            self._turn = None
        if self.is_news:
            raise TakenOver


async def uncut(step: Coroutine[object, object, T]) -> T:
    """Runs a step to its end even where the turn around it is cut meanwhile; the cut follows."""
    doing = asyncio.create_task(step)
    cut = False
    while not doing.done():
        try:
            await workflow.wait_condition(doing.done)
        except asyncio.CancelledError:
            cut = True  # said again it still cuts nothing
    result = doing.result()
    if cut:
        raise asyncio.CancelledError
    return result
