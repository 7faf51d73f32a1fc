"""Rows of archived runs for tests."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from domain.history import ArchivedRun, ClosedRun, RunKind
from domain.ticket import TicketRef

CLOSED_AT = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)


def a_closed_run(ticket: TicketRef, **changes: Any) -> ClosedRun:
    run: dict[str, Any] = {
        "tenant_id": ticket.tenant_id,
        "workflow_id": f"ticket:{ticket.tenant_id}:{ticket.route}",
        "run_id": uuid4(),
        "kind": RunKind.TICKET,
        "status": "completed",
        "started_at": datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
        "closed_at": CLOSED_AT,
        "events": 3,
    }
    return ClosedRun(**run | changes)


def an_archived_run(ticket: TicketRef) -> ArchivedRun:
    return ArchivedRun(ticket, a_closed_run(ticket), "sha256:" + "1" * 64, "history_" + "2" * 64)
