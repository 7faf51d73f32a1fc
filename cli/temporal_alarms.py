"""What only Temporal knows: workflows whose tasks fail, tickets that do not move, how long histories stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeNamespaceRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ListWorkflowExecutionsRequest,
)
from temporalio.service import ServiceClient

from domain.ticket import Stage

NAMED = 5
LOOKED_AT = 50
SLOW_AFTER = timedelta(minutes=15)
SHORTEST_RETENTION = timedelta(days=7)
TRANSIENT = (
    Stage.FETCHING,
    Stage.REDACTING,
    Stage.TRIAGING,
    Stage.LOOKING_UP,
    Stage.DRAFTING,
    Stage.DECIDING,
    Stage.PERFORMING,
)
STUCK = (
    "ExecutionStatus = 'Running' AND TemporalReportedProblems IN "
    "('category=WorkflowTaskFailed', 'category=WorkflowTaskTimedOut')"
)


@dataclass(frozen=True)
class Found:
    """How many workflows, and the ids of the first."""

    count: int
    named: Sequence[str]


class Watched:
    """One namespace. Reads ids and times, and no payloads."""

    def __init__(self, service: ServiceClient, namespace: str, slow_after: timedelta = SLOW_AFTER) -> None:
        self._service = service.workflow_service
        self._namespace = namespace
        self._slow_after = slow_after

    async def stuck(self) -> Found:
        """Workflows whose tasks fail again and again: they stay running and do nothing."""
        asked = CountWorkflowExecutionsRequest(namespace=self._namespace, query=STUCK)
        count = (await self._service.count_workflow_executions(asked)).count
        runs = await self._runs(STUCK, NAMED) if count else []
        return Found(count, [run.workflow_id for run in runs])

    async def slow(self) -> Found:
        """Tickets in a step that takes seconds, whose history has not grown for a quarter of an hour."""
        before = datetime.fromtimestamp(time() - self._slow_after.total_seconds(), UTC)
        stages = ", ".join(f"'{stage}'" for stage in TRANSIENT)
        query = (
            f"ExecutionStatus = 'Running' AND WorkflowType = 'TicketWorkflow' AND Stage IN ({stages}) "
            f"AND StartTime < '{before:%Y-%m-%dT%H:%M:%SZ}'"
        )
        runs = await self._runs(query, LOOKED_AT)
        still = [run.workflow_id for run in runs if await self._grew_last(run) < before]
        return Found(len(still), still[:NAMED])

    async def short_retention_days(self) -> int | None:
        """The days that closed histories stay, where these are too few; at least 1."""
        asked = DescribeNamespaceRequest(namespace=self._namespace)
        described = await self._service.describe_namespace(asked)
        kept = described.config.workflow_execution_retention_ttl.ToTimedelta()
        return max(kept.days, 1) if kept < SHORTEST_RETENTION else None

    async def _runs(self, query: str, limit: int) -> list[WorkflowExecution]:
        asked = ListWorkflowExecutionsRequest(namespace=self._namespace, query=query, page_size=limit)
        return [each.execution for each in (await self._service.list_workflow_executions(asked)).executions]

    async def _grew_last(self, run: WorkflowExecution) -> datetime:
        asked = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._namespace, execution=run, maximum_page_size=1
        )
        answer = await self._service.get_workflow_execution_history_reverse(asked)
        return answer.history.events[0].event_time.ToDatetime(tzinfo=UTC)
