"""The road from a raw conversation to an answer. Each step may stop the turn with a handover."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from temporalio.exceptions import FailureError

from activities.drafting import DraftInput
from domain.action import ActionType, ProposedAction
from domain.approval import ApprovalStatus
from domain.decision import PolicyDecision, Verdict
from domain.draft import Abstention, Draft
from domain.effect import EffectIntent, EffectResult, EffectState, Refusal
from domain.fact import Facts
from domain.handoff import HandoffReason, reason_before_drafting, reason_of
from domain.model import ApprovalId, ArtifactRef, digest_of
from domain.ticket import Mode, Stage
from domain.triage import Signal, Triage
from workflows import steps
from workflows.asking import ask
from workflows.failures import raise_if_cancelled
from workflows.leaving import may_leave
from workflows.operator_view import OperatorView
from workflows.plan import answer_plan, content_plan, intent_of
from workflows.takeover import uncut
from workflows.turn import Content, DraftChanged, HandOver, Turn

REASON_BY_STATUS = {
    ApprovalStatus.REJECTED: HandoffReason.APPROVAL_REJECTED,
    ApprovalStatus.EXPIRED: HandoffReason.APPROVAL_EXPIRED,
}
REASON_BY_STATE = {
    EffectState.WITHDRAWN: HandoffReason.EFFECT_WITHDRAWN,
    EffectState.FAILED: HandoffReason.EFFECT_FAILED,
}
# By the newest policy, which was asked again as it was about to leave.
BY_POLICY = frozenset({Refusal.POLICY_DENIES, Refusal.POLICY_CHANGED, Refusal.APPROVAL_NOW_NEEDED})
# Filing: worth doing where policy simply allows it, not worth a person's time.
FILING = frozenset({ActionType.SET_STATUS, ActionType.ADD_TAGS})
# What makes a message one that had its turn.
TellRecontact = Callable[[Turn], Awaitable[None]]
NOT_LEFT = frozenset({EffectState.WITHDRAWN, EffectState.FAILED})
ANSWERS = frozenset({ActionType.REPLY, ActionType.PRIVATE_NOTE})


class Understood(NamedTuple):
    """What is known before drafting."""

    conversation: ArtifactRef
    triage: Triage
    facts: Facts


class Step(NamedTuple):
    """A proposed action and policy's answer to it."""

    proposed: ProposedAction
    decision: PolicyDecision

    @property
    def type(self) -> ActionType:
        """What kind of action it is."""
        return self.proposed.action.type


class Answering:
    """One turn's way to an answer."""

    def __init__(self, turn: Turn, view: OperatorView, tell_recontact: TellRecontact) -> None:
        self._turn = turn
        self._view = view
        self._tell_recontact = tell_recontact

    async def run(self, raw: ArtifactRef) -> None:
        """Raises `HandOver` where a person should go on, after whatever was already done, or `Content`."""
        understood = await self._understand(raw)
        await self._stop_where_content(understood.triage)
        await self._tell_recontact(self._turn)
        self._stop_before_drafting(understood.triage)
        draft = await self._draft(understood)
        while True:
            plan = await self._decide(draft)
            if self._turn.settings.mode is Mode.OBSERVE:
                return
            self._stop_where_denied(plan)
            try:
                await self._refund(plan, draft)
                await self._answer(plan, draft)
            except DraftChanged as change:
                draft = self._changed(draft, change)
            else:
                return

    def _changed(self, draft: Draft, change: DraftChanged) -> Draft:
        """Other words are another draft: policy decides about it, and a yes to the old one is none to it."""
        self._turn.revision += 1
        self._turn.changed_by = change.by
        self._turn.draft = changed = Draft.model_validate(draft.model_dump() | {"reply": change.text})
        return changed

    async def _understand(self, raw: ArtifactRef) -> Understood:
        turn = self._turn
        self._view.show(Stage.REDACTING)
        turn.conversation = conversation = await steps.redact(turn.ticket, raw)
        self._view.show(Stage.TRIAGING)
        turn.triage = triage = await steps.triage(turn.ticket, conversation)
        self._view.show(Stage.LOOKING_UP)
        turn.facts = facts = await steps.look_up(turn.ticket, conversation)
        return Understood(conversation, triage, facts)

    async def _stop_where_content(self, triage: Triage) -> None:
        """Thanks after an answer end a ticket; the customer's word has opened it again in the helpdesk."""
        if self._turn.number == 1 or triage.signals != (Signal.THANKS,):
            return
        if self._turn.settings.mode is Mode.AUTOMATE:
            (proposed,) = content_plan(self._turn)
            (decision,) = await steps.decide(self._turn, (proposed,))
            if may_leave(decision):
                await uncut(self._effects_of((intent_of(self._turn, proposed, decision),)))
        raise Content

    def _stop_before_drafting(self, triage: Triage) -> None:
        if self._turn.looping:
            raise HandOver(HandoffReason.LOOP_SUSPECTED)
        reason = reason_before_drafting(triage)
        if reason is not None:
            raise HandOver(reason)
        if self._turn.number > self._turn.settings.max_turns:
            raise HandOver(HandoffReason.TOO_MANY_TURNS)

    async def _draft(self, understood: Understood) -> Draft:
        turn = self._turn
        self._view.show(Stage.DRAFTING)
        found = await steps.retrieve(turn.ticket, understood.conversation)
        turn.citations = found.citations
        draft = await steps.draft(
            DraftInput(
                ticket=turn.ticket,
                conversation=understood.conversation,
                triage=understood.triage,
                facts=understood.facts,
                passages=found.passages,
                citations=found.citations,
            )
        )
        if draft.abstained is not None or draft.reply is None:
            raise HandOver(reason_of(draft.abstained or Abstention.NOTHING_FOUND))
        turn.draft = draft
        return draft

    async def _decide(self, draft: Draft) -> list[Step]:
        self._view.show(Stage.DECIDING)
        actions = answer_plan(self._turn, draft)
        decisions = await steps.decide(self._turn, actions)
        self._turn.decisions += decisions
        return [Step(*pair) for pair in zip(actions, decisions, strict=True)]

    def _stop_where_denied(self, plan: list[Step]) -> None:
        """Before anything is done: a reply that may not follow must not leave a refund unexplained."""
        asked = [step.decision for step in plan if step.type not in FILING]
        if not all(may_leave(each) or each.verdict is Verdict.APPROVAL_NEEDED for each in asked):
            raise HandOver(HandoffReason.POLICY_DENIED)

    async def _refund(self, plan: list[Step], draft: Draft) -> None:
        """Money before words: the reply tells of a refund only once it is confirmed."""
        for step in plan:
            if step.type is ActionType.REFUND and not self._turn.refunded:
                approval = await self._approval(step, draft)
                intent = intent_of(self._turn, step.proposed, step.decision, approval)
                await self._perform((intent,))
                self._turn.refunded = True

    async def _answer(self, plan: list[Step], draft: Draft) -> None:
        answer, *filing = [step for step in plan if step.type is not ActionType.REFUND]
        approval = await self._approval(answer, draft)
        allowed = [step for step in filing if may_leave(step.decision)]
        await self._perform(
            (
                intent_of(self._turn, answer.proposed, answer.decision, approval),
                *(intent_of(self._turn, step.proposed, step.decision) for step in allowed),
            )
        )
        if self._turn.settings.mode is Mode.ASSIST:
            raise HandOver(HandoffReason.ASSIST_MODE)

    async def _approval(self, step: Step, draft: Draft) -> ApprovalId | None:
        """None where nobody has to be asked."""
        assisted_refund = self._turn.settings.mode is Mode.ASSIST and step.type is ActionType.REFUND
        if may_leave(step.decision) and not assisted_refund:
            return None
        result = await ask(self._turn, step.proposed, step.decision, draft.reply, self._view)
        self._turn.approval, self._turn.approval_reason = result.status, result.reason
        if result.status is not ApprovalStatus.APPROVED:
            raise HandOver(REASON_BY_STATUS.get(result.status, HandoffReason.APPROVAL_CANCELLED))
        return result.approval_id

    async def _perform(self, intents: tuple[EffectIntent, ...]) -> None:
        """Stops the turn unless the first one, which the others follow, is confirmed."""
        self._view.show(Stage.PERFORMING)
        effects = await uncut(self._effects_of(intents))
        if effects[0].state is not EffectState.CONFIRMED:
            raise HandOver(_reason_of(effects[0]))

    async def _effects_of(self, intents: tuple[EffectIntent, ...]) -> tuple[EffectResult, ...]:
        effects = await _performed(intents)
        self._turn.effects += effects
        self._turn.answered |= effects[0].type in ANSWERS and effects[0].state not in NOT_LEFT
        return effects


async def _performed(intents: tuple[EffectIntent, ...]) -> tuple[EffectResult, ...]:
    try:
        if len(intents) == 1:
            return (await steps.perform(intents[0]),)
        return await steps.perform_in_order(intents)
    except FailureError as failure:
        raise_if_cancelled(failure)
        return (_unknown(intents[0]),)


def _reason_of(effect: EffectResult) -> HandoffReason:
    if effect.refusal in BY_POLICY:
        return HandoffReason.POLICY_DENIED
    return REASON_BY_STATE.get(effect.state, HandoffReason.EFFECT_UNKNOWN)


def _unknown(intent: EffectIntent) -> EffectResult:
    """A step that never said how it ended may have happened."""
    return EffectResult(
        key=intent.key,
        type=intent.proposed.action.type,
        state=EffectState.UNKNOWN,
        input_digest=digest_of(intent),
    )
