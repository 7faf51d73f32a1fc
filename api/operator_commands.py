"""Carries out what a teammate tells a ticket: the database first, then a word to the ticket's run.

The database function authorises, locks out claims and commits; from then on nothing of automation leaves.
The run is told by a row in the inbox, because the door holds no key that could write into a history.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from uuid import UUID

from adapters.operator_words import OperatorWord, Word
from adapters.postgres.inbox import Arrival, InboxKind, InboxState
from adapters.postgres.queue import QueueLine
from api.doors import WordInbox
from api.problems import Problem
from api.visitor import Visitor
from domain.audit import PerformedEffect
from domain.effect import EffectState
from domain.model import RecordId
from domain.ownership import (
    LEFT,
    NOT_KNOWN,
    SENTENCES,
    OwnerChange,
    OwnershipAnswer,
    OwnershipRefusal,
    OwnershipRefused,
    RunWord,
)
from domain.ports import Ownership
from domain.ticket import TicketRef

SOURCE = "page"
LOOK_AGAIN_S = 0.1
STATUSES = {
    OwnershipRefusal.UNKNOWN_PRINCIPAL: HTTPStatus.FORBIDDEN,
    OwnershipRefusal.NOT_ENTITLED: HTTPStatus.FORBIDDEN,
    OwnershipRefusal.UNKNOWN_TICKET: HTTPStatus.NOT_FOUND,
    OwnershipRefusal.NOT_TAKEN_OVER: HTTPStatus.CONFLICT,
    OwnershipRefusal.HELD_BY_ANOTHER: HTTPStatus.CONFLICT,
}
RUN_WORDS = {InboxState.CONSUMED: RunWord.TOLD, InboxState.REFUSED: RunWord.NO_RUN}

Change = Callable[[TicketRef, RecordId], Awaitable[OwnerChange]]


class CommandRefused(Problem):
    """The owner stays who it is; only the refusal was written down."""

    def __init__(self, why: OwnershipRefusal) -> None:
        super().__init__(STATUSES[why], f"command_refused.{why}", "This was not done", SENTENCES[why])


class OperatorCommands:
    """Take over, hand back, stop. Repeating is safe: the same word again changes nothing."""

    def __init__(self, ownership: Ownership, inbox: WordInbox, patience_s: float) -> None:
        self._ownership = ownership
        self._inbox = inbox
        self._patience_s = patience_s

    async def tell(self, word: Word, line: QueueLine, visitor: Visitor) -> OwnershipAnswer:
        """Raises `CommandRefused`."""
        principal = visitor.principal
        ticket = TicketRef(tenant_id=principal.tenant_id, route=line.route)
        try:
            change = await self._change(word)(ticket, principal.principal_id)
        except OwnershipRefused as refused:
            raise CommandRefused(refused.why) from None
        told = OperatorWord(
            word=word, ticket=ticket, principal=principal.principal_id, owner_epoch=change.owner_epoch
        )
        kept = await self._inbox.accept(_arrival(told))
        run, effects = await asyncio.gather(
            self._heard(ticket, kept.delivery_id), self._standing(ticket, change)
        )
        return _answer(ticket, change, run, effects)

    def _change(self, word: Word) -> Change:
        match word:
            case Word.TAKE_OVER:
                return self._ownership.take_over
            case Word.HAND_BACK:
                return self._ownership.hand_back
            case Word.STOP:
                return self._ownership.stop

    async def _heard(self, ticket: TicketRef, delivery_id: UUID) -> RunWord:
        """Whether the run knows by now; the owner has changed in any case."""
        clock = asyncio.get_running_loop().time
        end = clock() + self._patience_s
        while True:
            state = await self._inbox.state_of(ticket.tenant_id, delivery_id)
            if state in RUN_WORDS or clock() >= end:
                return RUN_WORDS.get(state, RunWord.LATER)
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _standing(self, ticket: TicketRef, change: OwnerChange) -> Sequence[PerformedEffect]:
        """Waits while an effect is claimed: its request may be under way."""
        clock = asyncio.get_running_loop().time
        end = clock() + self._patience_s
        effects: Sequence[PerformedEffect] = change.effects
        while any(effect.state is EffectState.CLAIMED for effect in effects) and clock() < end:
            await asyncio.sleep(LOOK_AGAIN_S)
            effects = await self._ownership.standing(ticket, change.keys)
        return effects


def _arrival(told: OperatorWord) -> Arrival:
    named = f"{told.word}/{told.ticket.ticket_id}/{told.owner_epoch}"
    return Arrival(
        tenant_id=told.ticket.tenant_id,
        kind=InboxKind.OPERATOR,
        source=SOURCE,
        delivery_key=hashlib.sha256(named.encode()).hexdigest()[:32],
        body=told.model_dump_json().encode(),
    )


def _answer(
    ticket: TicketRef, change: OwnerChange, run: RunWord, effects: Sequence[PerformedEffect]
) -> OwnershipAnswer:
    return OwnershipAnswer(
        ticket=ticket,
        owner=change.owner,
        held_by=change.held_by,
        owner_epoch=change.owner_epoch,
        changed=change.changed,
        run=run,
        left=tuple(effect for effect in effects if effect.state in LEFT),
        not_known=tuple(effect for effect in effects if effect.state in NOT_KNOWN),
    )
