"""Two witnesses of which tickets there were: our tables, and Temporal or the archive of its runs."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from adapters.audit.chain import Finding

# A run begins before it has written anything, and a row before visibility has caught up.
GRACE = timedelta(minutes=10)


@dataclass(frozen=True)
class KnownTickets:
    """What each witness knows of one tenant's tickets, by ticket id, with the time it began there."""

    tenant_id: UUID
    listed: Mapping[UUID, datetime]  # rows of the tickets table
    audited: AbstractSet[UUID]  # named by settled turns in the audit trail
    running: Mapping[UUID, datetime]  # workflows that Temporal's visibility knows
    archived: AbstractSet[UUID] = field(default_factory=set)  # runs whose history was archived

    def disagreements(self, now: datetime) -> Iterator[Finding]:
        """Each ticket that is missing from one side."""
        ran = self.running.keys() | self.archived
        for ticket in sorted(self.listed.keys() | self.audited):
            young = ticket in self.listed and now - self.listed[ticket] < GRACE
            if ticket not in ran and not young:
                yield self._missing(
                    ticket, "our tables know it; neither Temporal nor the archive has a run of it"
                )
        for ticket in sorted(ran | self.audited):
            young = ticket in self.running and now - self.running[ticket] < GRACE
            settled = ticket in self.audited  # its row must have been there by then
            if ticket not in self.listed and (settled or not young):
                yield self._missing(ticket, f"{self._known_to(ticket)} knows it; the tickets table does not")

    def _known_to(self, ticket: UUID) -> str:
        if ticket in self.running:
            return "Temporal"
        return "the archive" if ticket in self.archived else "the audit trail"

    def _missing(self, ticket: UUID, what: str) -> Finding:
        return Finding("missing", f"tenant {self.tenant_id}, ticket {ticket}", what)


def ticket_of(workflow_id: str) -> UUID:
    """The ticket whose runs have this id. Raises `ValueError` for an id that is no ticket's."""
    kind, tenant, route = workflow_id.split(":", 2)
    if kind != "ticket":
        raise ValueError(f"Workflow {workflow_id!r} is no ticket's")
    return uuid5(UUID(tenant), route)
