"""How people command a ticket: the database decides first, then its run is told.

From the commit on nothing of an earlier epoch leaves, whatever Temporal does; telling the run only lets it
stop sooner. The answer names what had left before, as far as that becomes known in time.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import assert_never

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.audit import PerformedEffect
from domain.effect import EffectState
from domain.errors import KeyStoreUnavailable
from domain.model import RecordId
from domain.ownership import (
    LEFT,
    NOT_KNOWN,
    HandBack,
    OwnerChange,
    OwnershipAnswer,
    RunWord,
    Stop,
    TakeOver,
)
from domain.ports import Ownership
from domain.ticket import TicketRef
from workflows.ids import start_or_signal, ticket_workflow_id

TAKE_OVER = "take_over"
STOP = "stop"
PATIENCE = timedelta(seconds=10)
LOOK_AGAIN_S = 0.1
# The SDK raises a bare RuntimeError where it cannot connect.
NOT_NOW = (
    RuntimeError,
    TimeoutError,
    WorkflowUpdateFailedError,  # an older worker's run, which knows no such word
    WorkflowUpdateRPCTimeoutOrCancelledError,
    KeyStoreUnavailable,
)


async def take_over(
    client: Client | None,
    ownership: Ownership,
    ticket: TicketRef,
    principal: RecordId,
    patience: timedelta = PATIENCE,
) -> OwnershipAnswer:
    """The ticket is the teammate's. Repeating is safe. Raises `OwnershipRefused`.

    Without a client, as at the doors, which hold no tenant's key, somebody else must `tell` the run.
    """
    change = await ownership.take_over(ticket, principal)
    command = TakeOver(ticket=ticket, principal=principal, owner_epoch=change.owner_epoch)
    return await _answer(client, ownership, command, change, patience)


async def stop(
    client: Client | None,
    ownership: Ownership,
    ticket: TicketRef,
    principal: RecordId,
    patience: timedelta = PATIENCE,
) -> OwnershipAnswer:
    """The ticket is the teammate's, abandoned by automation. As `take_over` in everything else."""
    change = await ownership.stop(ticket, principal)
    command = Stop(ticket=ticket, principal=principal, owner_epoch=change.owner_epoch)
    return await _answer(client, ownership, command, change, patience)


async def hand_back(
    client: Client | None,
    ownership: Ownership,
    ticket: TicketRef,
    principal: RecordId,
    patience: timedelta = PATIENCE,
) -> OwnershipAnswer:
    """Automation owns the ticket, and a run is woken or started. As `take_over` in everything else."""
    change = await ownership.hand_back(ticket, principal)
    command = HandBack(ticket=ticket, principal=principal, owner_epoch=change.owner_epoch)
    return await _answer(client, ownership, command, change, patience)


async def tell(
    client: Client, command: TakeOver | Stop | HandBack, patience: timedelta = PATIENCE
) -> RunWord:
    """Tells the ticket's run what the database has decided. Repeating is safe.

    Whatever goes wrong here, the owner has changed: it is an answer, not an error.
    """
    try:
        async with asyncio.timeout(patience.total_seconds()):
            await _say(client, command)
    except RPCError as error:
        # Said of a run that has ended, too.
        return RunWord.NO_RUN if error.status is RPCStatusCode.NOT_FOUND else RunWord.LATER
    except NOT_NOW:
        return RunWord.LATER
    return RunWord.TOLD


async def _say(client: Client, command: TakeOver | Stop | HandBack) -> None:
    run = client.get_workflow_handle(ticket_workflow_id(command.ticket))
    match command:
        case TakeOver():
            await run.execute_update(TAKE_OVER, command, id=command.update_id)
        case Stop():
            await run.execute_update(STOP, command, id=command.update_id)
        case HandBack():
            await start_or_signal(client, command.ticket, command.delivery_id)
        case _:
            assert_never(command)


async def _answer(
    client: Client | None,
    ownership: Ownership,
    command: TakeOver | Stop | HandBack,
    change: OwnerChange,
    patience: timedelta,
) -> OwnershipAnswer:
    run, effects = await asyncio.gather(
        _told(client, command, patience), _followed(ownership, command.ticket, change, patience)
    )
    return OwnershipAnswer(
        ticket=command.ticket,
        owner=change.owner,
        held_by=change.held_by,
        owner_epoch=change.owner_epoch,
        changed=change.changed,
        run=run,
        left=tuple(effect for effect in effects if effect.state in LEFT),
        not_known=tuple(effect for effect in effects if effect.state in NOT_KNOWN),
    )


async def _told(client: Client | None, command: TakeOver | Stop | HandBack, patience: timedelta) -> RunWord:
    return await tell(client, command, patience) if client else RunWord.LATER


async def _followed(
    ownership: Ownership, ticket: TicketRef, change: OwnerChange, patience: timedelta
) -> Sequence[PerformedEffect]:
    """Waits while an effect is claimed: its request may be under way."""
    clock = asyncio.get_running_loop().time
    end = clock() + patience.total_seconds()
    effects: Sequence[PerformedEffect] = change.effects
    while _under_way(effects) and clock() < end:
        await asyncio.sleep(LOOK_AGAIN_S)
        effects = await ownership.standing(ticket, change.keys)
    return effects


def _under_way(effects: Sequence[PerformedEffect]) -> bool:
    return any(effect.state is EffectState.CLAIMED for effect in effects)
