"""What the door may read for pages, and what it may never read or do."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters.door_keys import PageKeys, number_aad
from adapters.keys import KeyKind, open_sealed
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.tables import tickets
from domain.errors import KeyDestroyed
from domain.ticket import TicketRef
from tests.adapters.postgres.story import Story
from tests.conftest import MASTER_KEY, Databases

FOR_THE_DOOR = "select coalesce(min(secret_digest), '') from sessions"


@pytest.mark.parametrize(
    "statement",
    [
        "select * from vault",
        "select * from artifacts",
        "select * from audit_events",
        "select * from answered_messages",
        "select * from policy_versions",
        "select body from inbox",
        "select external_id from tickets",
        "select name from principals",
        "select slack_user_id from principals",
        "select request from approvals",
        "select reason from approval_votes",
        "select proposed from effects",
        "select configuration from tenants",
        "select api_token from helpdesk_connections",
        "select bot_token from slack_installations",
        "select * from provider_connections",
        "select * from directory",
        "insert into api_tokens (tenant_id, principal_id, token_digest) values (gen_random_uuid(), 'x', '')",
        "update api_tokens set revoked_at = null",
        "insert into login_links (tenant_id, secret_digest) values (gen_random_uuid(), '')",
        "update sessions set expires_at = now() + interval '1 year'",
        "update sessions set principal_id = 'x'",
        "update login_links set expires_at = now() + interval '1 year'",
        "update principals set roles = '{admin}'",
        "update approvals set status = 'approved'",
        "insert into approval_votes (tenant_id, approval_id) values (gen_random_uuid(), 'x')",
        "update effects set state = 'confirmed'",
    ],
)
async def test_the_door_reads_no_text_and_gives_nobody_rights(databases: Databases, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with databases.door.across_tenants() as session:
            await session.execute(text(statement))


async def test_the_door_forgets_no_session_that_still_counts(databases: Databases, tenant_id: UUID) -> None:
    add = text("""
        insert into sessions (tenant_id, secret_digest, principal_id, expires_at)
        values (:tenant, convert_to(:name, 'UTF8'), 'x', now() + cast(:life as interval))
    """)
    async with databases.door.transaction(tenant_id) as session:
        for name, life in (("over", "-1 second"), ("counts", "1 hour")):
            await session.execute(add, {"tenant": tenant_id, "name": name, "life": life})
        gone = await session.execute(text("delete from sessions returning secret_digest"))

    assert [bytes(row.secret_digest) for row in gone] == [b"over"]


@pytest.mark.parametrize("role", ["app", "egress", "relay"])
async def test_no_other_process_knows_sessions(databases: Databases, role: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with getattr(databases, role).across_tenants() as session:
            await session.execute(text(FOR_THE_DOOR))


# --- keys of numbers ------------------------------------------------------------------------------------


async def test_the_door_opens_a_number_and_nothing_else_of_the_ticket(
    story: Story, databases: Databases, ticket: TicketRef
) -> None:
    await story.tickets.open(ticket, "1001", "generic")
    store = PostgresKeyStore(databases.key_door)
    pages = PageKeys(store, MASTER_KEY)

    keys = await pages.of_numbers(ticket.tenant_id, [ticket.ticket_id])
    closed = [
        await store.read(ticket.tenant_id, KeyKind.TICKET, [ticket.ticket_id]),
        await store.read(ticket.tenant_id, KeyKind.TENANT, []),
    ]
    current = await store.current(ticket.tenant_id, KeyKind.TENANT)

    async with databases.door.transaction(ticket.tenant_id) as session:
        sealed = (await session.execute(tickets.select().with_only_columns(tickets.c.number))).scalar_one()
    key = keys[ticket.ticket_id]
    assert key is not None
    assert open_sealed(key, sealed, number_aad(ticket.tenant_id, ticket.ticket_id)) == b"1001"
    assert (closed, current) == ([{}, {}], None)


async def test_erasing_a_ticket_erases_its_number_for_good(
    story: Story, databases: Databases, ticket: TicketRef
) -> None:
    await story.tickets.open(ticket, "1001", "generic")
    pages = PageKeys(PostgresKeyStore(databases.key_door), MASTER_KEY)
    await pages.of_numbers(ticket.tenant_id, [ticket.ticket_id])

    await story.keys.destroy_ticket_key(ticket.tenant_id, ticket.ticket_id)

    assert await pages.of_numbers(ticket.tenant_id, [ticket.ticket_id]) == {ticket.ticket_id: None}
    with pytest.raises(KeyDestroyed):
        await story.tickets.open(ticket, "1001", "generic")
    with pytest.raises(KeyDestroyed):
        await story.keys.number_key(ticket.tenant_id, ticket.ticket_id)


async def test_ticket_without_a_number_for_pages_gets_it_when_it_is_read_next(
    story: Story, databases: Databases, ticket: TicketRef
) -> None:
    await story.tickets.open(ticket, "1001", "generic")
    async with databases.owner.transaction(ticket.tenant_id) as session:
        await session.execute(text("update tickets set number = null"))

    await story.tickets.open(ticket, "1001", "generic")

    async with databases.door.transaction(ticket.tenant_id) as session:
        assert (await session.execute(text("select number is not null from tickets"))).scalar_one()
