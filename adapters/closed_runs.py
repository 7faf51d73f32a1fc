"""Closed runs as Temporal lists them: page by page, newest close first."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import ServiceClient

from domain.history import ClosedRun, RunKind

KINDS = {"TicketWorkflow": RunKind.TICKET, "ApprovalWorkflow": RunKind.APPROVAL}
SHORTEST_RETENTION = timedelta(days=7)
PAGE = 100


class RetentionTooShort(Exception):
    """Histories could be gone before anybody notices that they were not archived."""

    def __init__(self, namespace: str, days: float) -> None:
        super().__init__(
            f"Temporal's namespace {namespace!r} keeps closed workflows for {days:g} days only. "
            f"Raise its retention to {SHORTEST_RETENTION.days} days or more"
        )


async def check_retention(service: ServiceClient, namespace: str) -> None:
    """Raises `RetentionTooShort`."""
    asked = DescribeNamespaceRequest(namespace=namespace)
    described = await service.workflow_service.describe_namespace(asked, retry=True)
    kept = described.config.workflow_execution_retention_ttl.ToTimedelta()
    if kept < SHORTEST_RETENTION:
        raise RetentionTooShort(namespace, kept / timedelta(days=1))


class ClosedRunPages:
    """One listing. `more` says whether another page may follow."""

    def __init__(
        self,
        client: Client,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        page_size: int = PAGE,
    ) -> None:
        self._found = client.list_workflows(_query(since, before), page_size=page_size)
        self.more = True

    async def next(self) -> list[ClosedRun]:
        """Empty where nothing is left. What is not a run of ours by its id is left out."""
        await self._found.fetch_next_page()
        self.more = self._found.next_page_token is not None
        listed = (_closed(each) for each in self._found.current_page or ())
        return [run for run in listed if run]


def _query(since: datetime | None, before: datetime | None) -> str:
    kinds = " OR ".join(f"WorkflowType = '{name}'" for name in KINDS)
    parts = [f"({kinds})", "ExecutionStatus != 'Running'"]
    parts += [f"CloseTime >= '{_said(since)}'"] if since else []
    parts += [f"CloseTime < '{_said(before)}'"] if before else []
    return " AND ".join(parts)


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _closed(found: WorkflowExecution) -> ClosedRun | None:
    kind, tenant_id = KINDS.get(found.workflow_type), tenant_of(found.id)
    if kind is None or tenant_id is None or found.close_time is None:
        return None
    status = found.status or WorkflowExecutionStatus.COMPLETED
    return ClosedRun(
        tenant_id=tenant_id,
        workflow_id=found.id,
        run_id=UUID(found.run_id),
        kind=kind,
        status=status.name.lower(),
        started_at=found.start_time,
        closed_at=found.close_time,
        events=found.history_length,
        parent_id=found.parent_id,
    )


def tenant_of(workflow_id: str) -> UUID | None:
    """The middle of `kind:tenant:name`."""
    kind, _, rest = workflow_id.partition(":")
    tenant, _, name = rest.partition(":")
    if kind not in set(RunKind) or not name:
        return None
    try:
        return UUID(tenant)
    except ValueError:
        return None
