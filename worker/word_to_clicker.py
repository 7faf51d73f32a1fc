"""Tells a clicker why their vote was not counted.

The line leaves by the one road out, as everything does: decided, intended, claimed, sent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from temporalio.exceptions import ApplicationError

from activities.effects import EffectActivities
from activities.policy import PolicyActivities
from activities.policy_input import DecideInput
from domain.action import ActionType, ProposedAction, SlackEphemeral
from domain.approval import ApprovalRequest, VoteRefusal
from domain.card import Card, CardKind
from domain.effect import EffectIntent, EffectState, effect_key
from domain.model import MessageKey, RecordId
from domain.ports import ArtifactKind, Artifacts, Tickets
from domain.ticket import TicketRef

log = structlog.get_logger("worker.word_to_clicker")

TRIES = 3
LONGEST_WAIT_S = 5.0

SENTENCES = {
    VoteRefusal.NOT_PENDING: "This question is no longer open.",
    VoteRefusal.NOT_ELIGIBLE: "Policy does not let you decide this. Ask somebody of the approver group.",
    VoteRefusal.STALE_ELIGIBILITY: "It could not be checked in time whether you may decide this. Try again.",
    VoteRefusal.CARD_CHANGED: "The card has changed since you saw it. Read it again and decide then.",
    VoteRefusal.EXPIRED: "The time to answer is over.",
    VoteRefusal.ALREADY_VOTED: "You have voted on this already.",
    VoteRefusal.SELF_APPROVAL: "Nobody can approve what they proposed. Ask somebody else.",
    VoteRefusal.REASON_MISSING: "To reject, write a reason into the field first.",
}


class WordToClicker(Protocol):
    """Tells one person something."""

    async def tell(
        self, request: ApprovalRequest, principal: RecordId, click: MessageKey, why: VoteRefusal
    ) -> None:
        """Repeating is safe: the effect is named by the click."""
        ...


class EphemeralWord:
    """A line in the channel that only the clicker sees."""

    def __init__(
        self,
        *,
        policy: PolicyActivities,
        effects: EffectActivities,
        artifacts: Artifacts,
        tickets: Tickets,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._policy = policy
        self._effects = effects
        self._artifacts = artifacts
        self._tickets = tickets
        self._pause = pause

    async def tell(
        self, request: ApprovalRequest, principal: RecordId, click: MessageKey, why: VoteRefusal
    ) -> None:
        """Repeating is safe: the effect is named by the click."""
        proposed = await self._proposed(request.ticket, principal, why)
        intent = await self._intent(request, proposed, principal, click)
        for attempt in range(TRIES):
            if await self._performed(intent, is_last=attempt == TRIES - 1):
                return

    async def _proposed(self, ticket: TicketRef, principal: RecordId, why: VoteRefusal) -> ProposedAction:
        card = Card(
            kind=CardKind.NOTICE,
            title="Your vote was not counted",
            body=SENTENCES[why],
            tenant=str(ticket.tenant_id),
        )
        reference = await self._artifacts.put(ticket, ArtifactKind.CARD, card.model_dump_json().encode())
        return ProposedAction(ordinal=0, action=SlackEphemeral(card=reference, principal=principal))

    async def _intent(
        self, request: ApprovalRequest, proposed: ProposedAction, principal: RecordId, click: MessageKey
    ) -> EffectIntent:
        ticket = request.ticket
        owner, epoch = await self._tickets.owner(ticket)
        asked = DecideInput(
            ticket=ticket, turn=request.turn, mode=request.mode, owner=owner, actions=(proposed,)
        )
        [decision] = (await self._policy.decide(asked)).decisions
        return EffectIntent(
            key=effect_key(ticket.ticket_id, click, ActionType.SLACK_EPHEMERAL, principal, proposed.ordinal),
            ticket=ticket,
            proposed=proposed,
            decision_id=decision.decision_id,
            owner_epoch=epoch,
            turn=request.turn,
        )

    async def _performed(self, intent: EffectIntent, *, is_last: bool) -> bool:
        try:
            result = await self._effects.perform(intent)
        except ApplicationError as error:
            if is_last:
                log.warning("clicker_not_told", effect=intent.key, error=error.type)
                return True
            wait_s = error.next_retry_delay.total_seconds() if error.next_retry_delay else 0.5
            await self._pause(min(wait_s, LONGEST_WAIT_S))
            return False
        if result.state is not EffectState.CONFIRMED:
            log.warning("clicker_not_told", effect=intent.key, state=result.state, refusal=result.refusal)
        return True
