"""Every process dies in the middle of one busy day: each ticket ends once, and its evidence is whole."""

from collections.abc import AsyncIterator
from itertools import cycle, islice
from typing import LiteralString

import pytest

from tests.crash.day import Day, begin
from tests.crash.errands import APPROVED, RETURN, SMALL, TENT
from tests.crash.evidence import chain_findings, gathered, unarchived_runs
from tests.end_to_end.system import System

DELETE_RUN: LiteralString = """
    DELETE FROM countersign.archived_runs a WHERE (tenant_id, workflow_id, run_id) IN
        (SELECT tenant_id, workflow_id, run_id FROM countersign.archived_runs
         WHERE tenant_id = %s AND ticket_id = %s ORDER BY started_at LIMIT 1)
    RETURNING workflow_id, to_jsonb(a)::text"""
PUT_RUN_BACK: LiteralString = """
    INSERT INTO countersign.archived_runs
    SELECT * FROM jsonb_populate_record(null::countersign.archived_runs, %s::jsonb) RETURNING run_id"""
DELETE_LINK: LiteralString = """
    DELETE FROM countersign.audit_links l WHERE tenant_id = %s AND sequence = 7
    RETURNING to_jsonb(l)::text"""
PUT_LINK_BACK: LiteralString = """
    INSERT INTO countersign.audit_links
    SELECT * FROM jsonb_populate_record(null::countersign.audit_links, %s::jsonb) RETURNING event_id"""

pytestmark = [pytest.mark.crash, pytest.mark.timeout(560)]

TICKETS = 300
SPREAD = (RETURN, SMALL, APPROVED, TENT, RETURN, SMALL, RETURN, APPROVED, TENT, SMALL)
# The relay, the archiver and the sealer live in the workers; the other worker takes over their turns.
KILLED = ("api", "worker-1", "temporal", "worker-2", "postgres")
DAY_S = 300.0
PAUSE_S = 0.5


@pytest.fixture(scope="module")
async def day(system: System) -> Day:
    """Over, with all evidence gathered."""
    supervisor, killed = system.stack.supervisor, {}
    day = await begin(system, islice(cycle(SPREAD), TICKETS))
    day.pause_s = PAUSE_S
    for number, name in enumerate(KILLED, 1):
        await day.go_on(number * TICKETS // (len(KILLED) + 2), DAY_S)
        killed[name] = supervisor.service(name).pid
        await supervisor.kill(name)
    await day.end(DAY_S)
    await gathered(system)
    assert [name for name in KILLED if supervisor.service(name).pid == killed[name]] == []
    return day


@pytest.fixture
async def nobody_mends(system: System) -> AsyncIterator[None]:
    """Without workers: a missing row would be archived again within seconds."""
    workers = [name for name in system.stack.supervisor.names if name.startswith("worker-")]
    for name in workers:
        await system.stack.supervisor.pause(name)
    yield
    for name in workers:
        await system.stack.supervisor.resume(name)


async def test_every_ticket_ends_once_and_its_chain_and_archive_are_complete(
    system: System, day: Day
) -> None:
    assert day.at_rest == TICKETS
    assert await unarchived_runs(system) == []
    assert await chain_findings(system) == []


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_archived_text_replays(system: System, day: Day, place: int) -> None:
    task = day.tasks[TICKETS // 2 + place]

    said = await system.command("ticket", "replay", task.sent.name, "--archive-only")

    assert (said.code, said.errors) == (0, "")
    assert "no difference" in said.out


@pytest.mark.usefixtures("nobody_mends")
async def test_one_missing_row_or_link_would_be_seen(system: System, day: Day) -> None:
    ticket = day.tasks[0].sent.ticket
    ((workflow_id, run),) = await system.records.tamper(DELETE_RUN, ticket.tenant_id, ticket.ticket_id)
    ((link,),) = await system.records.tamper(DELETE_LINK, ticket.tenant_id)
    try:
        unarchived, findings = await unarchived_runs(system), await chain_findings(system)
    finally:
        await system.records.tamper(PUT_RUN_BACK, run)
        await system.records.tamper(PUT_LINK_BACK, link)

    assert unarchived == [workflow_id]
    assert any("DELETED" in line and "sequence 7" in line for line in findings)
    assert await unarchived_runs(system) == []
    assert await chain_findings(system) == []
