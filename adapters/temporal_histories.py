"""Runs of a ticket as Temporal has them: as stored, encrypted, oldest first."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from temporalio.client import Client, WorkflowExecution

from adapters.temporal_replay import exported
from domain.ticket import TicketRef

CHILD_STARTED = "childWorkflowExecutionStartedEventAttributes"


@dataclass(frozen=True)
class TemporalRun:
    """One run; `history` is the same text whenever it is read."""

    workflow_id: str
    run_id: str
    started_at: datetime
    history: str | None


class TemporalHistories:
    """Knows what the namespace's retention has left."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def runs_of(self, ticket: TicketRef) -> Sequence[TemporalRun]:
        """Every run of the ticket and of its approvals."""
        workflow_id = f"ticket:{ticket.tenant_id}:{ticket.route}"
        found = self._client.list_workflows(f"WorkflowId = '{workflow_id}'")
        runs = [await self._read(run.id, run.run_id, run.start_time) async for run in found]
        children = [child for run in runs for child in _children(run)]
        runs += [await self._read(*child) for child in children]
        return sorted(runs, key=lambda run: (run.started_at, run.run_id))

    async def tickets_of(self, tenant_id: UUID) -> AsyncIterator[tuple[str, datetime]]:
        """Workflow ids of the tenant's tickets as visibility knows them, and when the run started."""
        asked = f"WorkflowType = 'TicketWorkflow' and TenantId = '{tenant_id}'"
        async for run in self._client.list_workflows(asked):
            yield run.id, _utc(run)

    async def _read(self, workflow_id: str, run_id: str, started_at: datetime) -> TemporalRun:
        handle = self._client.get_workflow_handle(workflow_id, run_id=run_id)
        document = json.loads(exported(await handle.fetch_history()))
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return TemporalRun(workflow_id, run_id, started_at.astimezone(UTC), text)


def _children(run: TemporalRun) -> Iterator[tuple[str, str, datetime]]:
    for event in json.loads(run.history or "{}").get("events", ()):
        child = event.get(CHILD_STARTED, {}).get("workflowExecution")
        if child:
            yield child["workflowId"], child["runId"], datetime.fromisoformat(event["eventTime"])


def _utc(run: WorkflowExecution) -> datetime:
    return run.start_time.astimezone(UTC)
