"""Closed histories reach the archive, whoever dies on the way. Real Temporal server, real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from sqlalchemy import func, select, text
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from adapters.archiver import OVERLAP, Archiver, unarchived
from adapters.closed_runs import RetentionTooShort, check_retention
from adapters.embedded.home import temporary_home
from adapters.embedded.temporal import TemporalServer, start_temporal
from adapters.histories import RecordedHistories
from adapters.history_text import NotTheArchivedHistory
from adapters.in_memory import InMemoryKeys
from adapters.postgres.archive import ArchivedRuns
from adapters.postgres.artifacts import PostgresArtifacts
from adapters.postgres.tables import artifacts as artifacts_table
from adapters.temporal import connect, make_worker
from domain.history import ArchivedRun, ClosedRun
from domain.model import ArtifactRef
from domain.ports import ArtifactKind
from domain.ticket import TicketRef
from tests.adapters.archived import CLOSED_AT, a_closed_run
from tests.adapters.brief_workflows import Alone, Brief
from tests.adapters.postgres.test_archive import statements_of
from tests.conftest import Databases
from tests.end_to_end.polling import eventually

QUEUE = "brief"
BENCHES = 10  # tests that have one
PAGE = 100
NOW = timedelta(0)
KINDS = text("select kind from audit_events where kind like 'history%'")


@dataclass
class Bench:
    """A namespace's worth of closed runs and somewhere to keep them."""

    client: Client
    databases: Databases
    keys: InMemoryKeys
    tenant_id: UUID = field(default_factory=uuid4)

    @property
    def rows(self) -> ArchivedRuns:
        return ArchivedRuns(self.databases.app)

    @property
    def artifacts(self) -> PostgresArtifacts:
        return PostgresArtifacts(self.databases.app, self.keys)

    def archiver(self, **parts: Any) -> Archiver:
        return Archiver(
            self.client, parts.get("rows", self.rows), parts.get("artifacts", self.artifacts), page_size=PAGE
        )

    def ticket(self, first: str = "a") -> TicketRef:
        return TicketRef(tenant_id=self.tenant_id, route=first + uuid4().hex[1:])

    async def closed(self, ticket: TicketRef, kind: str = "TicketWorkflow") -> TicketRef:
        id_ = f"{kind.removesuffix('Workflow').lower()}:{ticket.tenant_id}:{ticket.route}"
        await self.client.execute_workflow(kind, ticket, id=id_, task_queue=QUEUE)
        return ticket

    async def listed(self, count: int) -> None:
        """Visibility follows a little later."""

        async def all_there() -> bool:
            query = "ExecutionStatus != 'Running' AND TaskQueue = 'brief'"
            return (await self.client.count_workflows(query)).count >= count

        await eventually(all_there, f"{count} closed runs")

    async def kinds(self) -> list[str]:
        async with self.databases.owner.transaction(self.tenant_id) as session:
            return list((await session.execute(KINDS)).scalars())


async def whole_pass(archiver: Archiver) -> int:
    """How many pages it had."""
    pages = 1
    while await archiver.round():
        pages += 1
    return pages


@pytest.fixture(scope="module")
def temporal() -> Iterator[TemporalServer]:
    with temporary_home() as home:
        server = start_temporal(home, None, None)
        yield server
        server.stop()


@pytest.fixture(scope="module")
async def namespaces(temporal: TemporalServer) -> list[str]:
    """Made together, because the server needs seconds until it knows a new one."""
    names = [f"archive-{uuid4().hex[:8]}" for _ in range(BENCHES)]
    await asyncio.gather(*(register(temporal, name, timedelta(days=7)) for name in names))
    return names


@pytest.fixture
async def bench(
    temporal: TemporalServer, databases: Databases, namespaces: list[str]
) -> AsyncIterator[Bench]:
    """Its own namespace, so that a test counts its own runs only."""
    keys, namespace = InMemoryKeys(), namespaces.pop()
    client = await connect(keys, address=temporal.address, namespace=namespace)
    async with make_worker(client, QUEUE, workflows=[Brief, Alone]):
        yield Bench(client, databases, keys)


async def register(temporal: TemporalServer, namespace: str, retention: timedelta) -> None:
    """Returns once workflows can be started in it."""
    client = await connect(InMemoryKeys(), address=temporal.address, namespace=namespace)
    kept = Duration()
    kept.FromTimedelta(retention)
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=namespace, workflow_execution_retention_period=kept)
    )

    async def known() -> bool:
        try:
            await client.count_workflows("ExecutionStatus = 'Running'")
        except Exception as error:  # noqa: BLE001 - the server's cache of namespaces lags behind
            return "not found" not in str(error)
        return True

    await eventually(known, f"namespace {namespace}")


async def test_hundreds_are_archived_with_one_question_a_page(bench: Bench) -> None:
    tickets = await asyncio.gather(*(bench.closed(bench.ticket()) for _ in range(250)))
    await bench.listed(250)
    archiver = bench.archiver()

    with statements_of(bench.databases.app) as statements:
        pages = await whole_pass(archiver)
    with statements_of(bench.databases.app) as again:
        pages_again = await whole_pass(bench.archiver())

    assert pages == pages_again == 3
    assert sum("runs_to_archive" in statement for statement in statements) == pages
    assert sum("insert into archived_runs" in statement for statement in statements) == 250
    assert not [statement for statement in again if "insert" in statement.lower()]
    assert [len(await bench.rows.of(ticket)) for ticket in tickets] == [1] * 250


async def test_continued_run_is_archived_like_its_successor(bench: Bench) -> None:
    ticket = await bench.closed(bench.ticket("c"))
    await bench.listed(2)

    await whole_pass(bench.archiver())

    statuses = [row.run.status for row in await bench.rows.of(ticket)]
    assert statuses == ["continued_as_new", "completed"]
    assert await bench.kinds() == ["history_archived"] * 2


async def test_archive_answers_with_the_same_text_as_temporal(bench: Bench) -> None:
    ticket = await bench.closed(bench.ticket("c"))
    await bench.listed(2)
    await whole_pass(bench.archiver())

    live = await RecordedHistories(bench.rows, bench.artifacts, bench.client).runs_of(ticket)
    kept = await RecordedHistories(bench.rows, bench.artifacts).runs_of(ticket)

    assert len(kept) == 2
    assert kept == live


class DiesBeforeTheRow(ArchivedRuns):
    """As a worker that is killed between artifact and row."""

    async def add(self, kept: ArchivedRun) -> None:
        del kept
        raise asyncio.CancelledError


async def test_death_between_artifact_and_row_leaves_nothing_wrong(bench: Bench) -> None:
    ticket = await bench.closed(bench.ticket())
    await bench.listed(1)
    with pytest.raises(asyncio.CancelledError):
        await bench.archiver(rows=DiesBeforeTheRow(bench.databases.app)).round()
    left = await unarchived(bench.client, bench.rows, older_than=NOW)

    await whole_pass(bench.archiver())

    (row,) = await bench.rows.of(ticket)
    assert [run.run_id for run in left] == [row.run.run_id]
    assert await unarchived(bench.client, bench.rows, older_than=NOW) == []
    assert await bench.kinds() == ["history_archived"]
    stored = select(func.count()).where(artifacts_table.c.ticket_id == ticket.ticket_id)
    async with bench.databases.owner.transaction(bench.tenant_id) as session:
        assert (await session.execute(stored)).scalar_one() == 1


async def test_erased_ticket_is_recorded_and_not_tried_again(bench: Bench) -> None:
    ticket = await bench.closed(bench.ticket())
    await bench.listed(1)
    bench.keys.destroyed.add((await bench.keys.ticket_key(ticket.tenant_id, ticket.ticket_id)).id)

    await whole_pass(bench.archiver())
    await whole_pass(bench.archiver())

    (row,) = await bench.rows.of(ticket)
    assert (row.digest, row.artifact) == (None, None)
    assert await bench.kinds() == ["history_erased"]


class Counting(PostgresArtifacts):
    """Counts what is stored."""

    puts = 0

    async def put(
        self, ticket: TicketRef, kind: ArtifactKind, content: bytes, ttl: timedelta | None = None
    ) -> ArtifactRef:
        self.puts += 1
        return await super().put(ticket, kind, content, ttl)


async def test_two_workers_do_no_work_twice(bench: Bench) -> None:
    await asyncio.gather(*(bench.closed(bench.ticket()) for _ in range(20)))
    await bench.listed(20)
    counting = Counting(bench.databases.app, bench.keys)

    await asyncio.gather(*(whole_pass(bench.archiver(artifacts=counting)) for _ in range(3)))
    await whole_pass(bench.archiver(artifacts=counting))

    assert counting.puts == 20


async def test_one_run_without_a_ticket_keeps_no_other_waiting(bench: Bench) -> None:
    await bench.closed(bench.ticket(), "ApprovalWorkflow")
    ticket = await bench.closed(bench.ticket())
    await bench.listed(2)

    await whole_pass(bench.archiver())

    assert len(await bench.rows.of(ticket)) == 1
    (left,) = await unarchived(bench.client, bench.rows, older_than=NOW)
    assert left.workflow_id.startswith("approval:")


class Unable(PostgresArtifacts):
    """Cannot store what belongs to some tickets."""

    def __init__(self, bench: Bench, *refused: TicketRef) -> None:
        super().__init__(bench.databases.app, bench.keys)
        self._refused = refused

    async def put(
        self, ticket: TicketRef, kind: ArtifactKind, content: bytes, ttl: timedelta | None = None
    ) -> ArtifactRef:
        if ticket in self._refused:
            raise ConnectionError
        return await super().put(ticket, kind, content, ttl)


async def test_trouble_with_one_run_keeps_no_other_waiting_and_ends_with_the_next_full_pass(
    bench: Bench,
) -> None:
    bad, good = [await bench.closed(bench.ticket()) for _ in range(2)]
    await bench.listed(2)

    await whole_pass(bench.archiver(artifacts=Unable(bench, bad)))
    first = [len(await bench.rows.of(ticket)) for ticket in (bad, good)]
    await whole_pass(bench.archiver())

    assert first == [0, 1]
    assert [len(await bench.rows.of(ticket)) for ticket in (bad, good)] == [1, 1]


async def test_trouble_with_every_run_is_no_runs_trouble(bench: Bench) -> None:
    tickets = [await bench.closed(bench.ticket()) for _ in range(2)]
    await bench.listed(2)

    with pytest.raises(ConnectionError):
        await bench.archiver(artifacts=Unable(bench, *tickets)).round()


async def test_changed_archive_is_not_believed(bench: Bench) -> None:
    ticket = await bench.closed(bench.ticket())
    await bench.listed(1)
    await whole_pass(bench.archiver())
    (row,) = await bench.rows.of(ticket)

    class Swapped(ArchivedRuns):
        async def of(self, ticket: TicketRef) -> Sequence[ArchivedRun]:
            return [replace(one, digest="sha256:" + "0" * 64) for one in await super().of(ticket)]

    with pytest.raises(NotTheArchivedHistory, match=str(row.run.run_id)):
        await RecordedHistories(Swapped(bench.databases.app), bench.artifacts).runs_of(ticket)


async def test_short_retention_is_refused(temporal: TemporalServer) -> None:
    names = {days: f"kept-{days}-{uuid4().hex[:8]}" for days in (1, 6, 7)}
    await asyncio.gather(*(register(temporal, name, timedelta(days=days)) for days, name in names.items()))
    service = (await connect(InMemoryKeys(), address=temporal.address)).service_client

    await check_retention(service, names[7])
    for days in (1, 6):
        sentence = f"for {days} days only. Raise its retention to 7 days"
        with pytest.raises(RetentionTooShort, match=sentence):
            await check_retention(service, names[days])


# --- which runs are looked at


class Listings:
    """Answers every listing with the same runs and remembers the question."""

    def __init__(self, *runs: ClosedRun) -> None:
        self.queries: list[str] = []
        self.current_page = [found(run) for run in runs]
        self.next_page_token = None

    def list_workflows(self, query: str, page_size: int) -> "Listings":
        del page_size
        self.queries.append(query)
        return self

    async def fetch_next_page(self) -> None:
        """The only one."""


def found(run: ClosedRun) -> SimpleNamespace:
    return SimpleNamespace(
        id=run.workflow_id,
        run_id=str(run.run_id),
        workflow_type="TicketWorkflow",
        status=None,
        start_time=run.started_at,
        close_time=run.closed_at,
        history_length=3,
        parent_id=None,
    )


class NothingMissing(ArchivedRuns):
    """Everything is there already."""

    async def missing(self, runs: Sequence[ClosedRun]) -> Mapping[UUID, str | None]:
        del runs
        return {}


async def test_every_pass_looks_back_and_hourly_at_everything(
    databases: Databases, keys: Any, ticket: TicketRef
) -> None:
    listings, seconds = Listings(a_closed_run(ticket)), [0.0]
    archiver = Archiver(
        listings,  # type: ignore[arg-type]  # what it asks of a client
        NothingMissing(databases.app),
        PostgresArtifacts(databases.app, keys),
        seconds=lambda: seconds[0],
    )

    for moment in (0.0, 5.0, 3599.0, 3600.0, 3605.0):
        seconds[0] = moment
        await archiver.round()

    since = f"CloseTime >= '{CLOSED_AT - OVERLAP:%Y-%m-%dT%H:%M:%S.%fZ}'"
    assert [since in query for query in listings.queries] == [False, True, True, False, True]
    assert ["CloseTime" in query for query in listings.queries] == [False, True, True, False, True]
