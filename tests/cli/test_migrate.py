"""Databases of one's own are prepared by URL, the key database on another server too."""

import asyncio
from collections.abc import Iterator, Mapping

import psycopg
import pytest
from sqlalchemy import make_url

from adapters.embedded.home import temporary_home
from adapters.embedded.postgres import PostgresServer, start_postgres
from adapters.postgres.bootstrap import KEY_ROLES, MAIN_ROLES, ROLES, DatabaseUrls, bootstrap
from adapters.settings import Environment, Settings
from cli.__main__ import run
from cli.migrate import NAMES, addresses_of
from tests.conftest import PASSWORDS


@pytest.fixture
def prepared(database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The environment that names every role, as a deployment has it."""
    addresses = {NAMES[role]: getattr(database_urls, role) for role in ROLES}
    for name, address in addresses.items():
        monkeypatch.setenv(name, address)
    return addresses


@pytest.fixture(scope="module")
def two_servers() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """One for the records and one for the keys; never the one that other tests share."""
    with temporary_home() as main, temporary_home() as keys:
        servers = (start_postgres(main, None), start_postgres(keys, None))
        yield servers
        for server in servers:
            server.stop()


async def test_databases_are_prepared_and_may_be_prepared_again(
    postgres: PostgresServer,
    prepared: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres.admin_url)

    codes = [await asyncio.to_thread(run, ["migrate"]) for _ in range(2)]

    assert codes == [0, 0]
    shown = capsys.readouterr()
    assert "The main database is at " in shown.out
    assert shown.err.count("PostgreSQL 18.4 lacks") == 2  # once a run, not once a role


async def test_the_key_database_may_be_on_a_server_of_its_own(
    two_servers: tuple[PostgresServer, PostgresServer],
) -> None:
    main, keys = two_servers

    urls = await bootstrap(main.admin_url, PASSWORDS, keys_admin_url=keys.admin_url)

    ports = {role: make_url(getattr(urls, role)).port for role in ROLES}
    assert {ports[role] for role in MAIN_ROLES} == {main.port}
    assert {ports[role] for role in KEY_ROLES} == {keys.port}


async def test_on_separate_servers_no_role_enters_the_other_one(
    two_servers: tuple[PostgresServer, PostgresServer],
) -> None:
    main, keys = two_servers
    urls = await bootstrap(main.admin_url, PASSWORDS, keys_admin_url=keys.admin_url)

    for role in ROLES:
        other = main if role in KEY_ROLES else keys
        with pytest.raises(psycopg.OperationalError, match=r"not permitted to log in|authentication failed"):
            await psycopg.AsyncConnection.connect(getattr(urls, role), port=other.port)


def test_a_missing_address_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES.values():
        monkeypatch.delenv(name, raising=False)

    assert run(["migrate"]) == 1

    assert capsys.readouterr().err.startswith("COUNTERSIGN_OWNER_DATABASE_URL is not set")


def test_an_address_of_another_role_is_refused(
    prepared: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(NAMES["app"], prepared[NAMES["owner"]])

    assert run(["migrate"]) == 1

    shown = capsys.readouterr().err
    assert shown.startswith("COUNTERSIGN_APP_DATABASE_URL has to name the user 'countersign_app'")
    assert PASSWORDS["owner"] not in shown


def test_a_weak_administrator_is_refused_in_production(
    prepared: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNTERSIGN_ENV", Environment.PRODUCTION)
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres:postgres@127.0.0.1:1/postgres")

    assert run(["migrate"]) == 1

    assert capsys.readouterr().err.startswith("DATABASE_URL has no password of 16 characters")


def test_every_role_has_its_setting(prepared: Mapping[str, str]) -> None:
    assert set(NAMES) == set(ROLES)
    assert addresses_of(Settings(_env_file=None)) == {role: prepared[NAMES[role]] for role in ROLES}
