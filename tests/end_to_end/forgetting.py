"""Makes Temporal forget a ticket, as the end of the retention does, once everything of it is archived."""

from collections.abc import Sequence

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from adapters.postgres.archive import ArchivedRuns
from cli.demo_watch import Sent
from domain.history import ArchivedRun
from tests.end_to_end.polling import eventually
from tests.end_to_end.system import System

LONG_S = 60.0  # what a busy server may take to forget


async def archived(system: System, sent: Sent) -> Sequence[ArchivedRun]:
    """The rows of the ticket once every run of it has one."""
    histories, rows = await system.connected.histories(), ArchivedRuns(system.connected.app)

    async def whole() -> Sequence[ArchivedRun] | None:
        kept, runs = await rows.of(sent.ticket), await histories.runs_of(sent.ticket)
        return kept if kept and len(kept) == len(runs) else None

    return await eventually(whole, f"an archive of {sent.name}", LONG_S)


async def forget(client: Client, kept: Sequence[ArchivedRun]) -> None:
    """Neither histories nor visibility know the runs afterwards."""
    for row in kept:
        await delete(client, row.run.workflow_id, str(row.run.run_id))


async def delete(client: Client, workflow_id: str, run_id: str) -> None:
    """One run, whether it is closed or open."""
    named = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=named)
    await client.workflow_service.delete_workflow_execution(request)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)

    async def gone() -> bool:
        try:
            await handle.fetch_history()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return not [run async for run in client.list_workflows(f"RunId = '{run_id}'")]
        return False

    await eventually(gone, f"Temporal without run {run_id}", LONG_S)
