"""Roles, databases and migrations can be made again and again."""

import asyncio
from dataclasses import astuple

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from adapters.embedded.postgres import PostgresServer
from adapters.postgres.bootstrap import DatabaseUrls, PasswordsMissing, bootstrap
from adapters.postgres.migrate import KEYS, MAIN, Schema, alembic_config, migrate, migrated_to
from tests.conftest import PASSWORDS

SCHEMAS = [(MAIN, "owner"), (KEYS, "keys_owner")]


async def test_bootstrap_and_migrations_may_run_again(
    postgres: PostgresServer, database_urls: DatabaseUrls
) -> None:
    again = await bootstrap(postgres.admin_url, PASSWORDS)
    await migrate(again)

    assert again == database_urls


async def test_a_role_without_a_password_is_refused(postgres: PostgresServer) -> None:
    with pytest.raises(PasswordsMissing, match="relay, keys_owner"):
        await bootstrap(postgres.admin_url, PASSWORDS | {"relay": "", "keys_owner": ""})


@pytest.mark.parametrize(("schema", "owner"), SCHEMAS)
async def test_tables_in_code_are_the_tables_in_the_database(
    database_urls: DatabaseUrls, schema: Schema, owner: str
) -> None:
    config = alembic_config(schema, getattr(database_urls, owner))

    await asyncio.to_thread(command.check, config)  # raises where a migration is missing


@pytest.mark.parametrize(("schema", "owner"), SCHEMAS)
async def test_the_newest_migration_is_the_one_the_code_expects(
    database_urls: DatabaseUrls, schema: Schema, owner: str
) -> None:
    url = getattr(database_urls, owner)

    assert ScriptDirectory.from_config(alembic_config(schema, url)).get_heads() == [schema.head]
    assert await migrated_to(url, schema.name) == schema.head


async def test_upgrades_at_once_wait_for_each_other(database_urls: DatabaseUrls) -> None:
    config = [alembic_config(MAIN, database_urls.owner) for _ in range(2)]
    # Alembic keeps its context in the module, so two upgrades need two processes; here one holds the lock.
    async with await psycopg.AsyncConnection.connect(database_urls.owner, autocommit=True) as other:
        await other.execute("select pg_advisory_lock(7231995402)")
        upgrade = asyncio.create_task(asyncio.to_thread(command.upgrade, config[0], "head"))
        done, _ = await asyncio.wait([upgrade], timeout=0.3)
        assert not done
        await other.execute("select pg_advisory_unlock(7231995402)")
        await upgrade


def test_urls_are_not_printed(database_urls: DatabaseUrls) -> None:
    assert not any(url in repr(database_urls) for url in astuple(database_urls))


async def test_no_role_but_the_administrator_enters_the_maintenance_database(
    database_urls: DatabaseUrls,
) -> None:
    for url in astuple(database_urls):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            await psycopg.AsyncConnection.connect(url, dbname="postgres")


@pytest.mark.parametrize("role", ["owner", "door", "app", "egress", "relay", "sealer"])
async def test_no_role_of_the_main_database_enters_the_key_database(
    database_urls: DatabaseUrls, role: str
) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        await psycopg.AsyncConnection.connect(getattr(database_urls, role), dbname="countersign_keys")
