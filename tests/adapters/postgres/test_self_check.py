"""The start-up check accepts the database we make and sees every planted fault."""

from collections.abc import AsyncIterator
from dataclasses import fields

import psycopg
import pytest

from adapters.embedded.postgres import PostgresServer
from adapters.postgres.bootstrap import DatabaseUrls
from adapters.postgres.self_check import (
    CATALOG,
    DatabaseNotAsDeclared,
    OutdatedServer,
    check_database,
    declared,
    differences,
)
from adapters.settings import Environment
from tests.conftest import Databases

FAULTS = {
    "row security off": "alter table countersign.tickets disable row level security",
    "not for the owner": "alter table countersign.vault no force row level security",
    "open policy": "create policy open on countersign.artifacts using (true)",
    "policy loosened": "alter policy tenant on countersign.effects using (true)",
    "policy for the relay": "create policy more on countersign.vault"
    " for select to countersign_relay using (true)",
    "policy gone": "drop policy door_adds on countersign.inbox",
    "new table": "create table countersign.notes (body text)",
    "new view": "create view countersign.everything as select * from countersign.tickets",
    "materialized view": "create materialized view countersign.everything"
    " as select * from countersign.tickets",
    "table elsewhere": "create table public.copied (body text)",
    "other key": "alter table countersign.vault drop constraint vault_pkey,"
    " add primary key (name, tenant_id, ticket_id)",
    "bypass": "alter role countersign_app bypassrls",
    "superuser": "alter role countersign_door superuser",
    "creates roles": "alter role countersign_relay createrole",
    "membership": "grant countersign_owner to countersign_app",
    "other owner": "alter table countersign.effects owner to countersign_app",
    "table grant": "grant update on countersign.effects to countersign_app",
    "column grant": "grant update (state) on countersign.effects to countersign_app",
    "body for the relay": "grant select (body) on countersign.inbox to countersign_relay",
    "grant missing": "revoke select on countersign.vault from countersign_app",
    "public": "grant select on countersign.directory to public",
    "execute for all": "grant execute on function countersign.directory_tenant(text, bytea) to public",
    "claims for the worker": "grant execute on all functions in schema countersign to countersign_app",
    "search path": "alter function countersign.directory_tenant(text, bytea) reset search_path",
    "definer": "alter function countersign.freeze_scope(uuid, text, text) security definer",
    "other body": "create or replace function countersign.effects_move_along_arrows() returns trigger"
    " language plpgsql as 'begin return new; end'",
    "trigger off": "alter table countersign.effects disable trigger arrows",
    "trigger gone": "drop trigger unchanged on countersign.audit_events",
    "create on schema": "grant create on schema countersign to countersign_app",
    "public schema": "grant create on schema public to public",
    "temporary tables": "grant temporary on database countersign to countersign_app",
    "default privileges": "alter default privileges in schema countersign"
    " grant select on tables to countersign_app",
    "stored tenant": "alter role countersign_app set app.tenant_id = '00000000-0000-0000-0000-000000000001'",
    "other isolation": "alter role countersign_egress in database countersign"
    " set default_transaction_isolation = 'repeatable read'",
    "replicas ignore triggers": "alter database countersign set session_replication_role = 'replica'",
}


@pytest.fixture
async def admin(
    postgres: PostgresServer, database_urls: DatabaseUrls
) -> AsyncIterator[psycopg.AsyncConnection[tuple[str, ...]]]:
    """In a transaction that is never committed."""
    connection = await psycopg.AsyncConnection.connect(postgres.admin_url, dbname="countersign")
    yield connection
    await connection.rollback()
    await connection.close()


@pytest.mark.parametrize("role", [field.name for field in fields(Databases)])
async def test_every_role_can_check_what_we_made(databases: Databases, role: str) -> None:
    warnings = await check_database(getattr(databases, role), Environment.DEVELOPMENT)

    # The embedded server is known to lag behind; nothing else may be said.
    assert not [warning for warning in warnings if "security fixes" not in warning]


async def test_production_refuses_an_outdated_server(databases: Databases) -> None:
    with pytest.raises(OutdatedServer, match="Update the server"):
        await check_database(databases.app, Environment.PRODUCTION)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_planted_fault_is_seen(admin: psycopg.AsyncConnection[tuple[str, ...]], fault: str) -> None:
    await admin.execute(FAULTS[fault].encode())

    lines = [row[0] for row in await (await admin.execute(CATALOG.text.encode())).fetchall()]

    assert differences(lines, declared("countersign")), fault


def test_the_refusal_says_what_is_wrong_and_what_to_do() -> None:
    found = differences(["grant select on x to public"], ["trigger t"])

    sentence = str(DatabaseNotAsDeclared(found))

    assert "not declared: grant select on x to public; missing: trigger t. Run the migrations" in sentence
