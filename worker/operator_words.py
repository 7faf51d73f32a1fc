"""Takes teammates' words out of the inbox and tells them to the tickets' runs.

The owner has changed already, so nothing depends on speed: a word is told until it is heard, and ends as
consumed (told) or refused (nothing runs that could hear it).
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import structlog
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from adapters.operator_words import OperatorWord, Word
from adapters.postgres.deliveries import Opened
from adapters.postgres.inbox import InboxState
from adapters.postgres.relay_inbox import WaitingRow
from domain.ownership import HandBack, Stop, TakeOver
from workflows.commands import STOP, TAKE_OVER
from workflows.ids import start_or_signal, ticket_workflow_id

log = structlog.get_logger("worker.operator_words")

LEASE = timedelta(seconds=15)
PATIENCE = timedelta(seconds=8)
SOON = timedelta(seconds=1)
LONGEST_DELAY = timedelta(seconds=60)


class NotHeard(Exception):
    """It is not known whether the run heard it. Telling again under the same id finds out."""

    def __init__(self) -> None:
        super().__init__("The ticket's run did not answer")


class WaitingWords(Protocol):
    """Where words wait."""

    async def lease(self, life: timedelta) -> Sequence[WaitingRow]:
        """Rows that nobody else takes for `life`."""
        ...

    async def postpone(self, row: WaitingRow, by: timedelta) -> None:
        """It may be taken again after `by`."""
        ...


class KeptWords(Protocol):
    """Opens words and ends them."""

    async def open(self, tenant_id: UUID, delivery_id: UUID) -> Opened | None:
        """None where it was ended."""
        ...

    async def close(self, tenant_id: UUID, deliveries: Sequence[UUID], state: InboxState) -> None:
        """Ends it, and its key. Repeating is safe."""
        ...


class Runs(Protocol):
    """Tells tickets' runs."""

    async def tell(self, told: OperatorWord) -> bool:
        """False where nothing runs. Repeating is safe. Raises `NotHeard`."""
        ...


class TemporalRuns:
    """Words as Updates; handing back wakes the ticket, or starts its next run."""

    def __init__(self, client: Client, patience: timedelta = PATIENCE) -> None:
        self._client = client
        self._patience = patience

    async def tell(self, told: OperatorWord) -> bool:
        """False where nothing runs."""
        try:
            await self._tell(told)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # said of a run that has ended, too
                return False
            raise NotHeard from error
        except WorkflowUpdateFailedError as error:  # an older worker's run, which knows no such word
            raise NotHeard from error
        return True

    async def _tell(self, told: OperatorWord) -> None:
        match told.word:
            case Word.TAKE_OVER:
                await self._update(TAKE_OVER, TakeOver.model_validate(_named(told)))
            case Word.STOP:
                await self._update(STOP, Stop.model_validate(_named(told)))
            case Word.HAND_BACK:
                told_back = HandBack.model_validate(_named(told))
                await start_or_signal(self._client, told.ticket, told_back.delivery_id)

    async def _update(self, update: str, command: TakeOver | Stop) -> None:
        run = self._client.get_workflow_handle(ticket_workflow_id(command.ticket))
        await run.execute_update(update, command, id=command.update_id, rpc_timeout=self._patience)


class OperatorWords:
    """One teller of words; several may run."""

    def __init__(self, waiting: WaitingWords, kept: KeptWords, runs: Runs) -> None:
        self._waiting = waiting
        self._kept = kept
        self._runs = runs

    async def round(self) -> bool:
        """Tells the words that are due. True where more may be waiting."""
        rows = await self._waiting.lease(LEASE)
        await asyncio.gather(*(self._tell_or_postpone(row) for row in rows))
        return bool(rows)

    async def _tell_or_postpone(self, row: WaitingRow) -> None:
        try:
            await self._tell(row)
        except Exception as error:  # noqa: BLE001 - one word must not keep the others from being heard
            log.warning("word_postponed", delivery_id=str(row.id), error=type(error).__name__)
            doubled: timedelta = SOON * (1 << min(row.attempts, 16))
            await self._waiting.postpone(row, min(doubled, LONGEST_DELAY))

    async def _tell(self, row: WaitingRow) -> None:
        opened = await self._kept.open(row.tenant_id, row.id)
        heard = True
        if opened is not None:
            told = OperatorWord.model_validate_json(opened.content)
            heard = await self._runs.tell(told)
            log.info("word_told", word=told.word, ticket_id=str(told.ticket.ticket_id), heard=heard)
        state = InboxState.CONSUMED if heard else InboxState.REFUSED
        await self._kept.close(row.tenant_id, [row.id], state)


def _named(told: OperatorWord) -> dict[str, object]:
    return {"ticket": told.ticket, "principal": told.principal, "owner_epoch": told.owner_epoch}
