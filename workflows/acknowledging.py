"""A word to a customer who would otherwise wait in silence: within the time that the tenant promises.

The reply is a fixed text of the tenant's, so it says nothing that has not been decided. It goes out once per
message: while a question waits for people, or just before a teammate gets the ticket.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from domain.ticket import Mode
from workflows import steps
from workflows.failures import raise_if_cancelled
from workflows.leaving import may_leave
from workflows.plan import acknowledgement_plan, intent_of
from workflows.takeover import uncut
from workflows.turn import Turn


async def acknowledge(turn: Turn) -> None:
    """At once, where the tenant promises it and nothing has told the customer. Never raises a failure."""
    if not _is_owed(turn):
        return
    try:
        await uncut(_send(turn))
    except FailureError as failure:
        raise_if_cancelled(failure)
        workflow.logger.warning("acknowledgement_failed")


@asynccontextmanager
async def acknowledging(turn: Turn) -> AsyncIterator[None]:
    """While the block waits: when the promised time has come, and not at all where the block ends before."""
    if not _is_owed(turn):
        yield
        return
    waiting = asyncio.create_task(_when_due(turn))
    try:
        yield
    finally:
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting


async def _when_due(turn: Turn) -> None:
    promised = timedelta(seconds=turn.settings.acknowledge_within_s or 0)
    due = (turn.asked_at or workflow.now()) + promised
    await workflow.sleep(max(due - workflow.now(), timedelta()), summary="Before acknowledging")
    await acknowledge(turn)


async def _send(turn: Turn) -> None:
    turn.acknowledged = True
    plan = acknowledgement_plan(await steps.acknowledge(turn))
    (decision,) = await steps.decide(turn, plan)
    if may_leave(decision):
        turn.acknowledgement = await steps.perform(intent_of(turn, plan[0], decision))


def _is_owed(turn: Turn) -> bool:
    settings = turn.settings
    promised = settings.mode is Mode.AUTOMATE and settings.acknowledge_within_s is not None
    return promised and not turn.answered and not turn.acknowledged
