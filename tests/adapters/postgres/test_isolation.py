"""No table shows another tenant's rows, derived from the catalog so that a new table is covered."""

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters.audit.signing import audit_signer
from adapters.embedded.postgres import PostgresServer
from adapters.policy.file import parse
from adapters.policy.published import published
from adapters.policy.tables import pack
from adapters.postgres.archive import ArchivedRuns
from adapters.postgres.articles import ArticleEntry, ArticleShelf
from adapters.postgres.artifacts import PostgresArtifacts
from adapters.postgres.door_sessions import DoorSessions
from adapters.postgres.freezes import Freezes
from adapters.postgres.judgements import PostgresJudgements
from adapters.postgres.labelled_edits import PostgresLabelledEdits
from adapters.postgres.logins import Logins
from adapters.postgres.observations import Observations
from adapters.postgres.policies import PolicyStore
from adapters.postgres.policy_moves import Movers, PolicyMoves
from adapters.postgres.policy_register import Place, PolicyRegister, Publication
from adapters.postgres.sealer import Sealer
from adapters.postgres.session import Database
from adapters.postgres.tables import directory, main
from adapters.postgres.tenant_registry import TenantRegistry
from adapters.postgres.vault import PostgresVault
from domain.action import ActionType
from domain.approval import VoteRefusal
from domain.decision import Verdict
from domain.judgement import HandoffVerdict
from domain.learning import LabelledEdit
from domain.ports import ArtifactKind
from domain.ticket import ClosingRecord, Outcome, Settlement, Stage
from tests.adapters.archived import an_archived_run
from tests.adapters.postgres.observed import an_observation
from tests.adapters.postgres.story import Story
from tests.adapters.postgres.test_tenant_registry import connected
from tests.conftest import MASTER_KEY, Databases, a_tenant

TENANT_TABLES = [table for table in main.sorted_tables if table is not directory]
SETTLEMENT = Settlement(
    record=ClosingRecord(outcome=Outcome.HANDED_OVER),
    stage=Stage.HANDED_OVER,
    reason="low_confidence",
    message="msg_" + 32 * "1",
)
EDIT = LabelledEdit(
    message="msg_" + 32 * "1",
    turn=0,
    draft="draft_" + 64 * "0",
    edited="edit_" + 64 * "0",
    distance_permille=100,
)
INBOX_ROW = text("""
    insert into inbox (tenant_id, id, kind, source, delivery_key, body)
    values (:tenant, :id, 'helpdesk', 'generic', :key, 'sealed')
""")


async def fill(story: Story, registry: TenantRegistry) -> None:
    """At least one row of the tenant in every table."""
    tenant_id, owner = story.ticket.tenant_id, story.databases.owner
    await connected(registry, tenant_id)
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.approved(decision)
    intent = await story.intended(decision, approval=request.approval_id)
    await story.claim(intent)
    voter = await story.approver()
    await story.approvals.record_refusal(tenant_id, request.approval_id, voter, VoteRefusal.NOT_PENDING)
    await story.tickets.settle(story.ticket, SETTLEMENT)
    await PostgresVault(story.databases.app, story.keys).keep(story.ticket, {"[[EMAIL_1_ab]]": "x"})
    await PostgresArtifacts(story.databases.app, story.keys).put(story.ticket, ArtifactKind.RAW, b"text")
    await ArticleShelf(owner).put(tenant_id, [ArticleEntry(title="Returns", body="Send it back.")])
    file = published(parse(pack("support_default").read_text()))
    await PolicyRegister(owner).publish(Place(tenant_id), file, Publication())
    await PolicyMoves(owner).activate(Place(tenant_id), file.version, Movers())
    await PolicyStore(story.databases.app).keep(tenant_id, file.version, file.content)
    await Sealer(story.databases.sealer, audit_signer(MASTER_KEY)).round()
    await Freezes(story.databases.app).freeze(tenant_id, ActionType.REPLY, "incident")
    logins = Logins(owner, story.keys)
    [teammate] = [one for one in await logins.teammates(tenant_id) if one.id == voter]
    _, token = await logins.issue_token(tenant_id, teammate)
    await logins.issue_link(tenant_id, teammate)
    await DoorSessions(story.databases.door).open_by_token(token)
    await ArchivedRuns(story.databases.app).add(an_archived_run(story.ticket))
    await PostgresJudgements(story.databases.door).judge(story.ticket, voter, HandoffVerdict.WRONG)
    await PostgresLabelledEdits(story.databases.app).record(story.ticket, EDIT)
    await Observations(story.databases.app).add([an_observation(decision, story.ticket)])
    async with story.databases.door.transaction(tenant_id) as session:
        await session.execute(INBOX_ROW, {"tenant": tenant_id, "id": uuid4(), "key": "k"})


async def test_nobody_sees_rows_of_another_tenant(
    story: Story, registry: TenantRegistry, postgres: PostgresServer
) -> None:
    await fill(story, registry)
    other = await a_tenant(registry)
    mine = text("select count(*) from {} where tenant_id = :tenant").text
    values = {"tenant": story.ticket.tenant_id}
    owner = story.databases.owner

    for table in TENANT_TABLES:
        count = text(mine.format(table.name))
        async with owner.transaction(story.ticket.tenant_id) as session:
            assert (await session.execute(count, values)).scalar_one() > 0, f"{table.name} was not filled"
        async with owner.transaction(other) as session:
            assert (await session.execute(count, values)).scalar_one() == 0, table.name
        async with owner.across_tenants() as session:
            assert (await session.execute(count, values)).scalar_one() == 0, table.name


async def test_nobody_writes_rows_of_another_tenant(
    databases: Databases, registry: TenantRegistry, tenant_id: UUID
) -> None:
    other = await a_tenant(registry)

    with pytest.raises(DBAPIError, match="row-level security"):
        async with databases.door.transaction(tenant_id) as session:
            await session.execute(INBOX_ROW, {"tenant": other, "id": uuid4(), "key": "k"})


async def test_every_table_but_the_directory_begins_its_key_with_the_tenant(
    postgres: PostgresServer, databases: Databases
) -> None:
    async with await psycopg.AsyncConnection.connect(postgres.admin_url, dbname="countersign") as admin:
        found = await admin.execute("""
            select c.relname, c.relrowsecurity and c.relforcerowsecurity, a.attname from pg_class c
            join pg_index i on i.indrelid = c.oid and i.indisprimary
            join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
            where c.relnamespace = 'countersign'::regnamespace and c.relkind in ('r', 'p')
        """)
        tables = {name: (closed, first) for name, closed, first in await found.fetchall()}

    del tables["alembic_version"]
    assert tables.pop("directory") == (False, "kind")
    assert tables == {table.name: (True, "tenant_id") for table in TENANT_TABLES}


# --- the narrow roles -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "select body from inbox",
        "select * from inbox",
        "select to_jsonb(inbox) from inbox",
        "select id from inbox where body is not null",
        "update inbox set state = 'dispatched' returning body",
        "update inbox set route = 'x'",
        "delete from inbox",
        "select * from tickets",
        "select * from directory",
    ],
)
async def test_the_relay_reads_no_body_and_nothing_else(databases: Databases, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with databases.relay.across_tenants() as session:
            await session.execute(text(statement))


async def test_the_relay_sees_every_tenant_and_reopens_nothing(
    databases: Databases, registry: TenantRegistry, tenant_id: UUID
) -> None:
    rows = {tenant_id: uuid4(), await a_tenant(registry): uuid4()}
    for tenant, row in rows.items():
        async with databases.door.transaction(tenant) as session:
            await session.execute(INBOX_ROW, {"tenant": tenant, "id": row, "key": "k"})
    ours = {"ids": list(rows.values())}
    seen = text("select kind, tenant_id from inbox where id = any(:ids) for update skip locked")
    mark = text("update inbox set state = 'dispatched' where id = any(:ids) and state = 'pending'")
    reopen = text("update inbox set state = 'pending' where id = any(:ids) returning id")

    async with databases.relay.across_tenants() as session:
        found = {row.tenant_id for row in await session.execute(seen, ours)}
        await session.execute(mark, ours)
    async with databases.relay.across_tenants() as session:
        reopened = (await session.execute(reopen, ours)).all()

    assert found == set(rows)
    assert reopened == []


async def test_the_door_cannot_bring_in_a_row_as_handled(databases: Databases, tenant_id: UUID) -> None:
    consumed = INBOX_ROW.text.replace("body)", "body, state)").replace("'sealed')", "'sealed', 'consumed')")

    with pytest.raises(DBAPIError, match="row-level security"):
        async with databases.door.transaction(tenant_id) as session:
            await session.execute(text(consumed), {"tenant": tenant_id, "id": uuid4(), "key": "k"})


@pytest.mark.parametrize("role", ["door", "app", "egress", "relay", "sealer"])
async def test_the_directory_is_read_through_its_function_only(databases: Databases, role: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with getattr(databases, role).across_tenants() as session:
            await session.execute(text("select * from directory"))


@pytest.mark.parametrize("role", ["door", "app", "egress", "relay", "sealer", "codec", "owner"])
@pytest.mark.parametrize(
    "table",
    [
        "audit_events",
        "audit_links",
        "audit_heads",
        "archived_runs",
        "decisions",
        "policy_versions",
        "policy_compositions",
        "approval_votes",
        "ticket_outcomes",
        "handoff_judgements",
    ],
)
@pytest.mark.parametrize("change", ["update {} set tenant_id = tenant_id", "delete from {}", "truncate {}"])
async def test_what_is_recorded_stays(databases: Databases, role: str, table: str, change: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|are never changed|cannot truncate a table"):
        async with getattr(databases, role).across_tenants() as session:
            await session.execute(text(change.format(table)))


async def test_an_audit_event_cannot_name_its_time(databases: Databases, tenant_id: UUID) -> None:
    forged = text(
        "insert into audit_events (tenant_id, kind, content, at) values (:tenant, 'x', '{}', now())"
    )

    with pytest.raises(DBAPIError, match="permission denied"):
        async with databases.app.transaction(tenant_id) as session:
            await session.execute(forged, {"tenant": tenant_id})


# --- the pool -----------------------------------------------------------------------------------------


async def test_a_pooled_connection_carries_no_tenant_over(
    database_urls: object, databases: Databases, registry: TenantRegistry
) -> None:
    tenants = [await a_tenant(registry) for _ in range(5)]
    pool = Database(databases.app._engine.url.render_as_string(hide_password=False), pool_size=2)
    seen: list[tuple[UUID | None, list[UUID]]] = []

    async def look(number: int) -> None:
        tenant = tenants[number % 5] if number % 6 else None
        session_of = pool.transaction(tenant) if tenant else pool.across_tenants()
        async with session_of as session:
            rows = await session.execute(text("select tenant_id from tenants"))
            seen.append((tenant, list(rows.scalars())))
            if number % 7 == 0:
                await session.execute(text("select 1 / 0"))
            if number % 5 == 0:
                raise LookupError

    tasks = [asyncio.create_task(look(number)) for number in range(120)]
    for task in tasks[::11]:
        asyncio.get_running_loop().call_later(0.02, task.cancel)
    await asyncio.gather(*tasks, return_exceptions=True)
    await pool.close()

    assert len(seen) > 60
    assert all(rows == ([tenant] if tenant else []) for tenant, rows in seen)
