"""A ticket that is missing from our tables, or from Temporal and the archive, is found and named."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import LiteralString
from uuid import uuid4

import pytest
from temporalio.client import Client

from adapters.audit import witnesses
from cli.demo_watch import Sent
from domain.ticket import TicketRef
from tests.end_to_end.forgetting import archived, delete, forget
from tests.end_to_end.planting import NOBODY
from tests.end_to_end.polling import eventually
from tests.end_to_end.system import BOOKS, Person, System
from workflows.ids import ticket_workflow_id

DELETE_TICKET: LiteralString = """
    DELETE FROM countersign.tickets t WHERE tenant_id = %s AND id = %s RETURNING to_jsonb(t)::text"""
PUT_TICKET_BACK: LiteralString = """
    INSERT INTO countersign.tickets
    SELECT * FROM jsonb_populate_record(null::countersign.tickets, %s::jsonb) RETURNING id"""
DELETE_RUNS: LiteralString = """
    DELETE FROM countersign.archived_runs a WHERE tenant_id = %s AND ticket_id = %s
    RETURNING to_jsonb(a)::text"""
PUT_RUN_BACK: LiteralString = """
    INSERT INTO countersign.archived_runs
    SELECT * FROM jsonb_populate_record(null::countersign.archived_runs, %s::jsonb) RETURNING run_id"""

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tickets of tests are all too young to be missed."""
    monkeypatch.setattr(witnesses, "GRACE", timedelta(0))


@pytest.fixture(scope="module")
async def ticket(system: System) -> Sent:
    """Answered and archived."""
    by = Person("Quirin Bach", "quirin.bach@example.com")
    sent = await system.write(BOOKS, by, "A question", "How can I send a book back, and how long do I have?")
    await system.rest(sent)
    await system.quiet(sent)
    await archived(system, sent)
    return sent


@pytest.fixture
async def nobody_archives(system: System) -> AsyncIterator[None]:
    """What was tampered with is not mended meanwhile, and what was planted is not kept."""
    await system.stack.supervisor.pause("worker-1")
    yield
    await system.stack.supervisor.resume("worker-1")
    await system.stack.until_ready()


async def _missing(system: System, ticket: TicketRef) -> list[str]:
    """What is said of this ticket."""
    said = await system.command("audit", "verify", "--tenant", BOOKS)
    lines = [line for line in said.out.splitlines() if str(ticket.ticket_id) in line]
    assert said.code == (1 if lines else 0), said
    assert all(line.startswith("MISSING") for line in lines)
    return lines


async def test_ticket_whose_row_is_gone_is_named_by_temporal(system: System, ticket: Sent) -> None:
    named = (ticket.ticket.tenant_id, ticket.ticket.ticket_id)
    (row,) = await system.records.tamper(DELETE_TICKET, *named)
    try:
        (line,) = await _missing(system, ticket.ticket)
    finally:
        await system.records.tamper(PUT_TICKET_BACK, *row)

    assert "Temporal knows it; the tickets table does not" in line
    assert await _missing(system, ticket.ticket) == []


@pytest.mark.usefixtures("nobody_archives")
async def test_workflow_named_like_a_ticket_is_named_though_we_never_heard_of_it(system: System) -> None:
    ours = await system.connected.temporal()
    client = await Client.connect(ours.service_client.config.target_host, namespace=ours.namespace)
    stranger = TicketRef(tenant_id=await system.connected.tenant(BOOKS), route=uuid4().hex)
    handle = await client.start_workflow("TicketWorkflow", id=ticket_workflow_id(stranger), task_queue=NOBODY)

    async def named() -> list[str]:
        return await _missing(system, stranger)

    (line,) = await eventually(named, "a finding about the stranger")
    await delete(client, handle.id, handle.result_run_id or "")

    assert "Temporal knows it; the tickets table does not" in line
    assert await _missing(system, stranger) == []


@pytest.mark.usefixtures("nobody_archives")
async def test_ticket_of_which_no_run_is_left_is_named_by_our_tables(system: System, ticket: Sent) -> None:
    await forget(await system.connected.temporal(), await archived(system, ticket))
    assert await _missing(system, ticket.ticket) == []
    rows = await system.records.tamper(DELETE_RUNS, ticket.ticket.tenant_id, ticket.ticket.ticket_id)
    try:
        (line,) = await _missing(system, ticket.ticket)
    finally:
        for row in rows:
            await system.records.tamper(PUT_RUN_BACK, *row)

    assert "our tables know it; neither Temporal nor the archive has a run of it" in line
    assert await _missing(system, ticket.ticket) == []
