"""Which tickets Temporal knows by its visibility, as far as the namespace's retention reaches."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

from temporalio.client import Client


class TemporalHistories:
    """One of the two witnesses."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def tickets_of(self, tenant_id: UUID) -> AsyncIterator[tuple[str, datetime]]:
        """Ids of workflows named like the tenant's tickets, whoever started them, and since when."""
        # By name, because a search attribute can be left out by whoever starts a workflow beside our doors.
        asked = f"WorkflowType = 'TicketWorkflow' and WorkflowId starts_with 'ticket:{tenant_id}:'"
        async for run in self._client.list_workflows(asked):
            yield run.id, run.start_time.astimezone(UTC)
