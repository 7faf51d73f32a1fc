"""Give a ticket to the team: ownership first, then the story, the card, the status."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from domain.decision import Verdict
from domain.handoff import HandoffReason
from domain.ticket import Owner
from workflows import steps
from workflows.failures import raise_if_cancelled
from workflows.plan import handoff_plan, intent_of
from workflows.turn import Turn

# A ticket must not be lost because the systems that carry a handover are away with everything else.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 60, 360, 1440))


async def hand_over(turn: Turn, reason: HandoffReason) -> None:
    """Tries again over two days, then leaves it to the operators' list of errors. Never raises a failure."""
    for pause in PAUSES:
        if await _handed_over(turn, reason):
            return
        await workflow.sleep(pause, summary="Before handing over again")
    await _handed_over(turn, reason)


async def _handed_over(turn: Turn, reason: HandoffReason) -> bool:
    try:
        await _tell_the_team(turn, reason)
    except FailureError as failure:
        raise_if_cancelled(failure)
        workflow.logger.warning("handover_failed")
        return False
    return True


async def _tell_the_team(turn: Turn, reason: HandoffReason) -> None:
    prepared = await steps.prepare_handoff(turn.told(reason))
    turn.owner, turn.owner_epoch = Owner.TEAMMATE, prepared.owner_epoch
    plan = handoff_plan(turn, prepared.bundle, prepared.card)
    decisions = await steps.decide(turn, plan)
    allowed = [
        intent_of(turn, proposed, decision)
        for proposed, decision in zip(plan, decisions, strict=True)
        if decision.verdict is Verdict.ALLOW
    ]
    turn.effects += await steps.perform_each(tuple(allowed)) if allowed else ()
