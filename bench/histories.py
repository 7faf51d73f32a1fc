"""What Temporal and the inbox know of a phase's tickets, read after its CPU time was."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution

from adapters.postgres.session import Database
from adapters.postgres.tables import inbox
from bench.figures import TicketFigures
from domain.ticket import TicketRef
from workflows.ids import ticket_workflow_id

DRAFT = "draft"
PENDING = "pending"


class NoDraft(Exception):
    """A ticket that drafted nothing is not what we measure."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(
            f"Workflow {workflow_id!r} ended without a draft. `countersign ticket trace` tells why"
        )


class Records:
    """Works as `app` on one tenant."""

    def __init__(self, client: Client, database: Database, tenant_id: UUID) -> None:
        self._client = client
        self._database = database
        self._tenant_id = tenant_id

    async def pending(self) -> int:
        """Deliveries that no relay has moved on."""
        query = select(func.count()).where(inbox.c.tenant_id == self._tenant_id, inbox.c.state == PENDING)
        async with self._database.transaction(self._tenant_id) as session:
            return int((await session.execute(query)).scalar_one())

    async def running(self) -> int:
        """Open workflows, a moment late."""
        return (await self._client.count_workflows("ExecutionStatus = 'Running'")).count

    async def figures(self, tickets: Sequence[TicketRef], since: datetime) -> list[TicketFigures]:
        """One for each ticket, in their order."""
        received = await self._received(since)
        runs = await self._runs(since)
        return [
            await self._figures_of(received[ticket.route], runs[ticket_workflow_id(ticket)])
            for ticket in tickets
        ]

    async def _received(self, since: datetime) -> Mapping[str, datetime]:
        query = (
            select(inbox.c.route, func.min(inbox.c.received_at).label("received_at"))
            .where(inbox.c.tenant_id == self._tenant_id, inbox.c.received_at >= since)
            .group_by(inbox.c.route)
        )
        async with self._database.transaction(self._tenant_id) as session:
            rows = (await session.execute(query)).all()
            return {row.route: row.received_at for row in rows}

    async def _runs(self, since: datetime) -> Mapping[str, list[WorkflowExecution]]:
        runs: dict[str, list[WorkflowExecution]] = {}
        async for run in self._client.list_workflows(f"StartTime >= '{since.isoformat()}'"):
            runs.setdefault(run.id, []).append(run)
        return runs

    async def _figures_of(self, received: datetime, runs: Sequence[WorkflowExecution]) -> TicketFigures:
        first = min(runs, key=lambda run: run.start_time)
        handle = self._client.get_workflow_handle(first.id, run_id=first.run_id)
        history = await handle.fetch_history()
        drafted = drafted_at(history.events)
        if drafted is None:
            raise NoDraft(first.id)
        return TicketFigures(
            to_draft_s=(drafted - received).total_seconds(),
            to_end_s=(_time(history.events[-1]) - received).total_seconds(),
            events=len(history.events),
            bytes=first.raw_info.history_size_bytes,
            all_events=sum(run.history_length for run in runs),
            all_bytes=sum(run.raw_info.history_size_bytes for run in runs),
        )


def drafted_at(events: Sequence[HistoryEvent]) -> datetime | None:
    """When the first draft step was over, be it a local or a regular one."""
    drafts = {
        event.event_id
        for event in events
        if event.activity_task_scheduled_event_attributes.activity_type.name == DRAFT
    }
    for event in events:
        if event.activity_task_completed_event_attributes.scheduled_event_id in drafts:
            return _time(event)
        local = _local_step(event)
        if local.get("activity_type") == DRAFT:
            return _marked_time(local["complete_time"])
    return None


def _local_step(event: HistoryEvent) -> dict[str, Any]:
    """What the SDK writes in clear beside the encrypted result."""
    payloads = event.marker_recorded_event_attributes.details
    if "data" not in payloads:
        return {}
    data: dict[str, Any] = json.loads(payloads["data"].payloads[0].data)
    return data


def _marked_time(written: Mapping[str, int]) -> datetime:
    seconds = int(written["seconds"]) + int(written.get("nanos", 0)) / 1e9
    return datetime.fromtimestamp(seconds, UTC)


def _time(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime(UTC)
