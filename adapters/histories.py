"""The `Histories` port: from Temporal where it still has a run, else from the archive; the same answer."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from adapters.history_text import NotTheArchivedHistory, digest_of_text, started_at, text_of, unpacked
from adapters.postgres.archive import ArchivedRuns
from domain.errors import KeyDestroyed
from domain.history import ArchivedRun, RecordedRun
from domain.ports import Artifacts
from domain.ticket import TicketRef

CHILD_STARTED = "childWorkflowExecutionStartedEventAttributes"
Named = tuple[str, str]  # workflow id and run id


class RecordedHistories:
    """Without a client it reads the archive only."""

    def __init__(self, rows: ArchivedRuns, artifacts: Artifacts, client: Client | None = None) -> None:
        self._rows = rows
        self._artifacts = artifacts
        self._client = client

    async def runs_of(self, ticket: TicketRef) -> Sequence[RecordedRun]:
        """Every run of the ticket and of its approvals, oldest first."""
        archived = {(row.run.workflow_id, str(row.run.run_id)): row for row in await self._rows.of(ticket)}
        tickets = {named for named in archived if named[0] == _id_of(ticket)} | await self._listed(ticket)
        runs = await self._read(tickets, archived)
        asked = {named for run in runs for named in _children(run)} | (archived.keys() - tickets)
        runs += await self._read(asked, archived)
        return sorted(runs, key=lambda run: (run.started_at, run.run_id))

    async def _listed(self, ticket: TicketRef) -> set[Named]:
        if self._client is None:
            return set()
        found = self._client.list_workflows(f"WorkflowId = '{_id_of(ticket)}'")
        return {(run.id, run.run_id) async for run in found}

    async def _read(self, names: set[Named], archived: dict[Named, ArchivedRun]) -> list[RecordedRun]:
        read = await asyncio.gather(*(self._run(named, archived.get(named)) for named in sorted(names)))
        return [run for run in read if run]

    async def _run(self, named: Named, row: ArchivedRun | None) -> RecordedRun | None:
        """None where neither has it: it was started a moment ago, or it is gone."""
        text = await self._from_temporal(named)
        if text is not None:
            return RecordedRun(*named, started_at(text), text)
        return await self._from_archive(row) if row else None

    async def _from_temporal(self, named: Named) -> str | None:
        if self._client is None:
            return None
        handle = self._client.get_workflow_handle(named[0], run_id=named[1])
        try:
            return text_of(await handle.fetch_history())
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return None

    async def _from_archive(self, row: ArchivedRun) -> RecordedRun:
        run = row.run
        erased = RecordedRun(run.workflow_id, str(run.run_id), run.started_at, None)
        if row.artifact is None:
            return erased
        try:
            text = unpacked(await self._artifacts.get(row.ticket, row.artifact))
        except KeyDestroyed:
            return erased
        if digest_of_text(text) != row.digest:
            raise NotTheArchivedHistory(run.run_id)
        return RecordedRun(run.workflow_id, str(run.run_id), started_at(text), text)


def _id_of(ticket: TicketRef) -> str:
    return f"ticket:{ticket.tenant_id}:{ticket.route}"


def _children(run: RecordedRun) -> Iterator[Named]:
    events: list[dict[str, Any]] = json.loads(run.history)["events"] if run.history else []
    for event in events:
        child = event.get(CHILD_STARTED, {}).get("workflowExecution")
        if child:
            yield child["workflowId"], child["runId"]
