"""Rows of archived runs: added once, asked for in one round trip, never another tenant's."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from adapters.postgres.archive import ArchivedRuns
from adapters.postgres.session import Database
from adapters.postgres.tenant_registry import TenantRegistry
from domain.decision import Verdict
from domain.history import ArchivedRun, RunKind
from domain.ticket import TicketRef
from tests.adapters.archived import a_closed_run, an_archived_run
from tests.adapters.postgres.story import Story
from tests.conftest import Databases, a_tenant

EVENTS = text("select content from audit_events where kind like 'history%' order by at")


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    """Everything the database is asked."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


async def events_of(database: Database, tenant_id: UUID) -> list[dict[str, str]]:
    async with database.transaction(tenant_id) as session:
        return list((await session.execute(EVENTS)).scalars())


async def test_row_and_audit_event_are_added_once(databases: Databases, ticket: TicketRef) -> None:
    rows, kept = ArchivedRuns(databases.app), an_archived_run(ticket)

    await rows.add(kept)
    await rows.add(kept)

    assert await rows.of(ticket) == [kept]
    assert await events_of(databases.owner, ticket.tenant_id) == [
        {
            "workflow": kept.run.workflow_id,
            "run": str(kept.run.run_id),
            "ticket_id": str(ticket.ticket_id),
            "digest": kept.digest,
            "artifact": kept.artifact,
        }
    ]


async def test_row_of_an_erased_ticket_has_no_digest(databases: Databases, ticket: TicketRef) -> None:
    rows, erased = ArchivedRuns(databases.app), ArchivedRun(ticket, a_closed_run(ticket))

    await rows.add(erased)

    assert await rows.of(ticket) == [erased]
    (told,) = await events_of(databases.owner, ticket.tenant_id)
    assert "digest" not in told


async def test_what_is_missing_of_many_tenants_is_one_question(
    databases: Databases, registry: TenantRegistry, story: Story
) -> None:
    rows = ArchivedRuns(databases.app)
    tickets = [TicketRef(tenant_id=await a_tenant(registry), route="b" * 32) for _ in range(3)]
    kept = [an_archived_run(ticket) for ticket in tickets]
    for row in kept:
        await rows.add(row)
    request = await story.approved(await story.decided(Verdict.APPROVAL_NEEDED))
    id_ = f"approval:{story.ticket.tenant_id}:{request.approval_id}"
    asked = a_closed_run(story.ticket, workflow_id=id_, kind=RunKind.APPROVAL)
    new = [a_closed_run(ticket) for ticket in tickets]

    with statements_of(databases.app) as statements:
        missing = await rows.missing([*(row.run for row in kept), *new, asked])

    assert missing == {run.run_id: None for run in new} | {asked.run_id: story.ticket.route}
    assert len(statements) == 1


async def test_asking_leaves_no_tenant_behind(databases: Databases, ticket: TicketRef) -> None:
    await ArchivedRuns(databases.app).missing([a_closed_run(ticket)])

    (left,) = await databases.app.call(text("select current_setting('app.tenant_id', true) as tenant"), {})
    assert not left["tenant"]


async def test_run_of_another_tenant_by_its_id_is_refused(databases: Databases, ticket: TicketRef) -> None:
    foreign = a_closed_run(ticket, workflow_id=f"ticket:{UUID(int=7)}:{ticket.route}")

    with pytest.raises(DBAPIError, match="archived_run_own"):
        await ArchivedRuns(databases.app).add(ArchivedRun(ticket, foreign))


async def test_one_archives_at_a_time(databases: Databases) -> None:
    rows = ArchivedRuns(databases.app)

    async with rows.turn() as first, rows.turn() as second:
        assert (first, second) == (True, False)
    async with rows.turn() as later:
        assert later
