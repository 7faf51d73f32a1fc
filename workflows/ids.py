"""Names of workflows, queues and search attributes, and the one way tickets are started."""

from datetime import timedelta
from uuid import UUID

from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from domain.model import ApprovalId
from domain.ticket import Owner, Stage, TicketRef
from workflows.messages import DeliveryArrived

TICKET_QUEUE = "tickets"
TICKET_WORKFLOW = "TicketWorkflow"
DELIVERY_ARRIVED = "delivery_arrived"

# The starter decides how soon a dead worker's workflow task is given to another.
TASK_TIMEOUT = timedelta(seconds=3)

TENANT_ID = SearchAttributeKey.for_keyword("TenantId")
STAGE = SearchAttributeKey.for_keyword("Stage")
RISK_BAND = SearchAttributeKey.for_keyword("RiskBand")
OWNER = SearchAttributeKey.for_keyword("Owner")
OUTCOME = SearchAttributeKey.for_keyword("Outcome")
APPROVAL_DUE = SearchAttributeKey.for_datetime("ApprovalDue")
SEARCH_ATTRIBUTES = (TENANT_ID, STAGE, RISK_BAND, OWNER, OUTCOME, APPROVAL_DUE)


def ticket_workflow_id(ticket: TicketRef) -> str:
    """The same for every run of a ticket."""
    return f"ticket:{ticket.tenant_id}:{ticket.route}"


def approval_workflow_id(tenant_id: UUID, approval_id: ApprovalId) -> str:
    """Where votes go."""
    return f"approval:{tenant_id}:{approval_id}"


def fairness(tenant_id: UUID) -> Priority:
    """A busy tenant must not starve a quiet one."""
    return Priority(fairness_key=str(tenant_id))


async def start_or_signal(
    client: Client, ticket: TicketRef, delivery_id: UUID
) -> WorkflowHandle[object, object]:
    """Wakes the ticket's run, or starts one. Repeating is safe: a delivery is a wake-up, not a command."""
    return await client.start_workflow(
        TICKET_WORKFLOW,
        ticket,
        id=ticket_workflow_id(ticket),
        task_queue=TICKET_QUEUE,
        task_timeout=TASK_TIMEOUT,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=DELIVERY_ARRIVED,
        start_signal_args=[DeliveryArrived(tenant_id=ticket.tenant_id, delivery_id=delivery_id)],
        search_attributes=first_attributes(ticket.tenant_id),
        priority=fairness(ticket.tenant_id),
    )


def first_attributes(tenant_id: UUID) -> TypedSearchAttributes:
    """What a new run is found by before it has done anything."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(TENANT_ID, str(tenant_id)),
            SearchAttributePair(STAGE, Stage.FETCHING.value),
            SearchAttributePair(OWNER, Owner.AUTOMATION.value),
        ]
    )
