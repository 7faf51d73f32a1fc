"""Put one decided action to people, as a child with a life of its own."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import FailureError
from temporalio.workflow import ParentClosePolicy

from activities.approvals import ComposeCardInput
from domain.action import ProposedAction, risk_band
from domain.approval import (
    ApprovalRequest,
    ApprovalResult,
    ApprovalStatus,
    ChangeDraft,
    VoteRefusal,
    approval_id,
)
from domain.decision import Obligations, PolicyDecision
from domain.model import ArtifactRef
from workflows import steps
from workflows.acknowledging import acknowledging
from workflows.approval import FRESH, ApprovalWorkflow, untimely
from workflows.failures import raise_if_cancelled
from workflows.ids import TASK_TIMEOUT, TENANT_ID, approval_workflow_id
from workflows.operator_view import OperatorView
from workflows.turn import DraftChanged, Question, Turn

Answering = workflow.ChildWorkflowHandle[ApprovalWorkflow, ApprovalResult]


async def ask(
    turn: Turn,
    proposed: ProposedAction,
    decision: PolicyDecision,
    text: ArtifactRef | None,
    view: OperatorView,
) -> ApprovalResult:
    """Waits minutes or weeks. Customer messages that arrive meanwhile are only remembered."""
    request = await _request(turn, proposed, decision, text)
    due = workflow.now() + timedelta(seconds=request.obligations.expires_in_s)
    view.wait_for_approval(risk_band(proposed.action), due)
    tenant = turn.ticket.tenant_id
    child = await workflow.start_child_workflow(
        ApprovalWorkflow.run,
        request,
        id=approval_workflow_id(tenant, request.approval_id),
        task_timeout=TASK_TIMEOUT,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
        search_attributes=TypedSearchAttributes([SearchAttributePair(TENANT_ID, str(tenant))]),
        static_summary="Approval",
    )
    turn.question = question = Question(request)
    try:
        async with acknowledging(turn):  # here and not before: local steps come one after another
            return await _answer(question, child)
    finally:
        turn.question, question.superseded = None, bool(question.superseded)


async def _answer(question: Question, child: Answering) -> ApprovalResult:
    """The people's. Raises `DraftChanged` where other words came first; the newest count."""
    try:
        await workflow.wait_condition(lambda: child.done() or question.other_words is not None)
        if not child.done():
            await _supersede(child)
        await workflow.wait_condition(child.done)
    except asyncio.CancelledError:
        child.cancel()  # it takes its card back and says so
        return await child
    result = await child
    question.superseded = result.status is ApprovalStatus.SUPERSEDED
    if question.superseded and question.other_words is not None:
        raise DraftChanged(question.other_words, question.by)
    return result


async def _supersede(child: Answering) -> None:
    """One that has ended meanwhile has an answer, which then counts."""
    try:
        await child.signal(ApprovalWorkflow.supersede)
    except FailureError as failure:
        raise_if_cancelled(failure)


async def _request(
    turn: Turn, proposed: ProposedAction, decision: PolicyDecision, text: ArtifactRef | None
) -> ApprovalRequest:
    id_ = approval_id(turn.ticket.ticket_id, turn.message, proposed.digest, turn.first_epoch, turn.revision)
    composed = await steps.compose_card(
        ComposeCardInput(
            ticket=turn.ticket,
            approval_id=id_,
            proposed=proposed,
            decision=decision,
            conversation=turn.conversation,
            text=text,
            revision=turn.revision if turn.revision > 1 else None,
        )
    )
    return ApprovalRequest(
        approval_id=id_,
        ticket=turn.ticket,
        turn=turn.number,
        message=turn.message,
        owner_epoch=turn.owner_epoch,
        proposed=proposed,
        decision=_without_obligations(decision),
        obligations=_obligations(turn, decision),
        card=composed.card,
        revision=turn.revision,
        changed_by=turn.changed_by,
        mode=turn.settings.mode,
    )


def _obligations(turn: Turn, decision: PolicyDecision) -> Obligations:
    """Policy's, or the tenant's approvers where policy names none."""
    asked = decision.obligations or Obligations()
    if asked.approver_groups:
        return asked
    named = asked.model_dump() | {"approver_groups": (turn.settings.approver_group,)}
    return Obligations.model_validate(named)


def _without_obligations(decision: PolicyDecision) -> PolicyDecision:
    """The request has them once, completed; it stands in history twice."""
    return PolicyDecision.model_validate(decision.model_dump(exclude={"obligations"}))


def refusal_of_change(order: ChangeDraft, question: Question | None, *, now: datetime) -> VoteRefusal | None:
    """Whose words count is decided like whose vote counts."""
    if question is None or order.approval_id != question.request.approval_id:
        return VoteRefusal.NOT_PENDING
    if not set(order.eligibility.groups) & set(question.request.obligations.every_group):
        return VoteRefusal.NOT_ELIGIBLE
    return untimely(now + FRESH, order.eligibility.as_of, now=now)
