"""Histories of runs: what Temporal recorded, kept beyond Temporal's own retention."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.model import ArtifactRef, Digest
from domain.ticket import TicketRef


class RunKind(StrEnum):
    """Which workflow a run belongs to; the first part of its id."""

    TICKET = "ticket"
    APPROVAL = "approval"


@dataclass(frozen=True)
class ClosedRun:
    """A run that will change no more: completed, ended otherwise, or continued as a new one."""

    tenant_id: UUID
    workflow_id: str
    run_id: UUID
    kind: RunKind
    status: str
    started_at: datetime
    closed_at: datetime
    events: int
    parent_id: str | None = None


@dataclass(frozen=True)
class ArchivedRun:
    """A row of the archive. Without digest and artifact where the ticket was erased before."""

    ticket: TicketRef
    run: ClosedRun
    digest: Digest | None = None
    artifact: ArtifactRef | None = None


@dataclass(frozen=True)
class RecordedRun:
    """One run with its history as text, the same from Temporal and from the archive; None where erased."""

    workflow_id: str
    run_id: str
    started_at: datetime
    history: str | None

    @property
    def kind(self) -> RunKind:
        """Ticket or approval."""
        return RunKind(self.workflow_id.partition(":")[0])


class Histories(Protocol):
    """Reads what was recorded of a ticket, for as long as the ticket is not erased."""

    async def runs_of(self, ticket: TicketRef) -> Sequence[RecordedRun]:
        """Every run of the ticket and of its approvals, oldest first; empty where there is none."""
        ...
