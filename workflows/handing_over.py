"""Give a ticket to the team: ownership first, then the story, the card, the status."""

from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.handoff import PreparedHandoff
from domain.action import ActionType
from domain.effect import EffectIntent, EffectResult, EffectState
from domain.handoff import HandoffReason
from domain.ticket import Owner
from workflows import steps
from workflows.failures import raise_if_cancelled
from workflows.leaving import may_leave
from workflows.plan import handoff_plan, intent_of, story_plan
from workflows.turn import Turn

# A ticket must not be lost because the systems that carry a handover are away with everything else.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 60, 360, 1440))
# Either of these reaches a person; a status or a tag does not.
READ_BY_TEAMMATES = frozenset({ActionType.SLACK_POST, ActionType.PRIVATE_NOTE})


async def hand_over(turn: Turn, reason: HandoffReason) -> bool:
    """Whether the team was told. Tries again over two days. Never raises a failure."""
    handover = _Handover(turn, reason)
    for pause in PAUSES:
        if await handover.succeeds():
            return True
        await workflow.sleep(pause, summary="Before handing over again")
    return await handover.succeeds()


async def leave_story(turn: Turn) -> None:
    """The story so far, for a teammate who has taken the ticket. Tried once: they see the ticket itself."""
    taken_at = turn.owner_epoch
    try:
        prepared = await steps.prepare_handoff(turn.told(HandoffReason.TAKEN_OVER))
        turn.owner_epoch = prepared.owner_epoch  # a later one, where it was handed back already
        plan = story_plan(turn, prepared.bundle)
        (decision,) = await steps.decide(turn, plan)
        if may_leave(decision):
            turn.effects.append(await steps.perform(intent_of(turn, plan[0], decision)))
    except FailureError as failure:
        raise_if_cancelled(failure)
        workflow.logger.warning("story_not_left")
    finally:
        turn.owner_epoch = taken_at


class _Handover:
    """What was tried already decides what is tried next: nothing twice that may have arrived."""

    def __init__(self, turn: Turn, reason: HandoffReason) -> None:
        self._turn = turn
        self._reason = reason
        self._round = 0
        self._tried: tuple[EffectIntent, ...] = ()

    async def succeeds(self) -> bool:
        """Only a confirmed note or card counts: what is unknown may have reached nobody."""
        try:
            return await self._earlier_round_arrived() or await self._tells()
        except FailureError as failure:
            raise_if_cancelled(failure)
            workflow.logger.warning("handover_failed")
            return False

    async def _earlier_round_arrived(self) -> bool:
        """Looks again before anything is said again. A new round has effect keys of its own."""
        if not self._tried:
            return False
        performed = await steps.perform_each(self._tried)
        if not _told(performed):
            self._tried, self._round = (), self._round + 1
            return False
        self._turn.effects += performed
        return True

    async def _tells(self) -> bool:
        turn = self._turn
        prepared = await steps.prepare_handoff(turn.told(self._reason))
        turn.owner, turn.owner_epoch = Owner.TEAMMATE, prepared.owner_epoch
        self._tried = await self._allowed(prepared)
        performed = await steps.perform_each(self._tried) if self._tried else ()
        turn.effects += performed
        return _told(performed)

    async def _allowed(self, prepared: PreparedHandoff) -> tuple[EffectIntent, ...]:
        plan = handoff_plan(self._turn, prepared.bundle, prepared.card, self._round)
        decisions = await steps.decide(self._turn, plan)
        return tuple(
            intent_of(self._turn, proposed, decision)
            for proposed, decision in zip(plan, decisions, strict=True)
            if may_leave(decision)
        )


def _told(performed: Sequence[EffectResult]) -> bool:
    return any(
        effect.type in READ_BY_TEAMMATES and effect.state is EffectState.CONFIRMED for effect in performed
    )
