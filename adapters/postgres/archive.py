"""Rows of archived runs: which are missing, and what was kept. Rows are added once and never changed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from adapters.postgres.session import Database
from adapters.postgres.tables import archived_runs
from domain.history import ArchivedRun, ClosedRun, RunKind
from domain.ticket import TicketRef

ONE_AT_A_TIME = text("select pg_try_advisory_xact_lock(7231995403)")
MISSING = text("select run, route from countersign.runs_to_archive(:tenants, :workflows, :runs)")
# The audit event is written where the row is: what is archived is in the chain, and once.
ADD = text("""
    with added as (
        insert into archived_runs (tenant_id, workflow_id, run_id, ticket_id, kind, status, started_at,
            closed_at, events, digest, artifact)
        values (:tenant, :workflow, :run, :ticket, :kind, :status, :started, :closed, :events, :digest,
            :artifact)
        on conflict do nothing
        returning tenant_id, workflow_id, run_id, ticket_id, digest, artifact)
    insert into audit_events (tenant_id, kind, content)
        select tenant_id, case when artifact is null then 'history_erased' else 'history_archived' end,
            jsonb_strip_nulls(jsonb_build_object('workflow', workflow_id, 'run', run_id,
                'ticket_id', ticket_id, 'digest', digest, 'artifact', artifact))
        from added
""")


class ArchivedRuns:
    """Works as `app`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Whether it is ours: of many workers one archives at a time, so that none does another's work."""
        async with self._database.across_tenants() as session:
            yield bool((await session.execute(ONE_AT_A_TIME)).scalar_one())

    async def missing(self, runs: Sequence[ClosedRun]) -> Mapping[UUID, str | None]:
        """Those without a row, and the route of the approval's ticket where it is known. One round trip."""
        if not runs:
            return {}
        asked = {
            "tenants": [run.tenant_id for run in runs],
            "workflows": [run.workflow_id for run in runs],
            "runs": [run.run_id for run in runs],
        }
        return {row["run"]: row["route"] for row in await self._database.call(MISSING, asked)}

    async def add(self, kept: ArchivedRun) -> None:
        """The row and its audit event, both or neither. Repeating is safe and adds nothing."""
        run = kept.run
        values = {
            "tenant": run.tenant_id,
            "workflow": run.workflow_id,
            "run": run.run_id,
            "ticket": kept.ticket.ticket_id,
            "kind": run.kind,
            "status": run.status,
            "started": run.started_at,
            "closed": run.closed_at,
            "events": run.events,
            "digest": kept.digest,
            "artifact": kept.artifact,
        }
        async with self._database.transaction(run.tenant_id) as session:
            await session.execute(ADD, values)

    async def of(self, ticket: TicketRef) -> Sequence[ArchivedRun]:
        """Oldest first."""
        query = (
            select(archived_runs)
            .where(
                archived_runs.c.tenant_id == ticket.tenant_id,
                archived_runs.c.ticket_id == ticket.ticket_id,
            )
            .order_by(archived_runs.c.started_at, archived_runs.c.run_id)
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            return [_archived(ticket, row) for row in (await session.execute(query)).all()]


def _archived(ticket: TicketRef, row: Row[Any]) -> ArchivedRun:
    run = ClosedRun(
        tenant_id=row.tenant_id,
        workflow_id=row.workflow_id,
        run_id=row.run_id,
        kind=RunKind(row.kind),
        status=row.status,
        started_at=row.started_at,
        closed_at=row.closed_at,
        events=row.events,
    )
    return ArchivedRun(ticket, run, row.digest, row.artifact)
