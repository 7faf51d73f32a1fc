"""What auditors will ask for after a day of crashes: whether anything is unsealed, unarchived or missing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString

import pytest

from adapters.archiver import unarchived
from adapters.audit import witnesses
from adapters.postgres.archive import ArchivedRuns
from tests.end_to_end.polling import eventually
from tests.end_to_end.system import System

WITHIN_S = 60.0
OURS = "WorkflowType = 'TicketWorkflow' or WorkflowType = 'ApprovalWorkflow'"
ARCHIVED: LiteralString = "SELECT workflow_id, run_id::text FROM countersign.archived_runs"
UNSEALED: LiteralString = """
    SELECT e.tenant_id, e.kind FROM countersign.audit_events e
    LEFT JOIN countersign.audit_links l ON l.tenant_id = e.tenant_id AND l.event_id = e.id
    WHERE l.event_id IS NULL"""


async def gathered(system: System) -> None:
    """Waits until workers have archived and sealed everything; archiving itself is sealed as well."""

    async def archive_is_whole() -> bool:
        return not await unarchived_runs(system)

    async def all_sealed() -> bool:
        return not await system.records.rows(UNSEALED)

    await eventually(archive_is_whole, "an archive without gaps", WITHIN_S)
    await eventually(all_sealed, "a seal on every event", WITHIN_S)


async def unarchived_runs(system: System) -> Sequence[str]:
    """Runs without a row: as the alarm finds them, and by comparing what Temporal lists with the table."""
    client = await system.connected.temporal()
    alarmed = await unarchived(client, ArchivedRuns(system.connected.app), older_than=timedelta(0))
    kept = set(await system.records.rows(ARCHIVED))
    listed = {(run.id, run.run_id) async for run in client.list_workflows(OURS)}
    return sorted({run.workflow_id for run in alarmed} | {id_ for id_, _ in listed - kept})


async def chain_findings(system: System) -> Sequence[str]:
    """What `countersign audit verify` finds, without its patience for tickets that are young."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(witnesses, "GRACE", timedelta(0))
        said = await system.command("audit", "verify")
    *findings, verdict = said.out.splitlines()
    assert (said.code, verdict) == ((1, f"{len(findings)} findings") if findings else (0, "intact")), said
    return findings
