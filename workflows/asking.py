"""Put one decided action to people, as a child with a life of its own."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.workflow import ParentClosePolicy

from activities.approvals import ComposeCardInput
from domain.action import ProposedAction, risk_band
from domain.approval import ApprovalRequest, ApprovalResult, approval_id
from domain.decision import Obligations, PolicyDecision
from domain.model import ArtifactRef
from workflows import steps
from workflows.acknowledging import acknowledging
from workflows.approval import ApprovalWorkflow
from workflows.ids import TASK_TIMEOUT, TENANT_ID, approval_workflow_id
from workflows.operator_view import OperatorView
from workflows.turn import Turn


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
    async with acknowledging(turn):  # here and not before: local steps come one after another
        return await workflow.execute_child_workflow(
            ApprovalWorkflow.run,
            request,
            id=approval_workflow_id(tenant, request.approval_id),
            task_timeout=TASK_TIMEOUT,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
            search_attributes=TypedSearchAttributes([SearchAttributePair(TENANT_ID, str(tenant))]),
            static_summary="Approval",
        )


async def _request(
    turn: Turn, proposed: ProposedAction, decision: PolicyDecision, text: ArtifactRef | None
) -> ApprovalRequest:
    id_ = approval_id(turn.ticket.ticket_id, turn.message, proposed.digest, turn.first_epoch)
    composed = await steps.compose_card(
        ComposeCardInput(
            ticket=turn.ticket,
            approval_id=id_,
            proposed=proposed,
            decision=decision,
            conversation=turn.conversation,
            text=text,
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
