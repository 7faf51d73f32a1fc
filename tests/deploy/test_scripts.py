"""The scripts of the one-shot containers, run against real servers of this machine."""

import asyncio
import os
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import ConnectConfig, ServiceClient

from adapters.embedded.home import temporary_home
from adapters.embedded.namespace import RETENTION, missing_search_attributes
from adapters.embedded.postgres import PostgresServer, start_postgres
from adapters.embedded.postgres_wheel import find_binaries
from adapters.embedded.temporal import DYNAMIC_CONFIG, TemporalServer, start_temporal
from adapters.settings import program_variables
from tests.deploy.composition import ROOT

DEPLOY = ROOT / "deploy"
PASSWORD = "an invented 'password' of temporal"


@pytest.fixture(scope="module")
def temporal() -> Iterator[TemporalServer]:
    with temporary_home() as home:
        server = start_temporal(home, None, None)
        yield server
        server.stop()


@pytest.fixture
def fresh_postgres() -> Iterator[PostgresServer]:
    with temporary_home() as home:
        server = start_postgres(home, None)
        yield server
        server.stop()


def ran(script: Path, tools: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{tools}{os.pathsep}{os.defpath}"
    return subprocess.run(  # noqa: S603 - our own scripts
        ["sh", str(script)],  # noqa: S607 - as the container does
        env={**program_variables(), "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def make_namespace(temporal: TemporalServer, name: str) -> subprocess.CompletedProcess[str]:
    return ran(
        DEPLOY / "temporal/namespace.sh",
        Path(sysconfig.get_path("scripts")),
        TEMPORAL_ADDRESS=temporal.address,
        TEMPORAL_NAMESPACE=name,
        HOME=str(temporal.home.temporal),
        PAUSE_S="0.2",
    )


async def test_the_namespace_is_what_our_code_expects(temporal: TemporalServer) -> None:
    done = await asyncio.to_thread(make_namespace, temporal, "made_by_script")
    again = await asyncio.to_thread(make_namespace, temporal, "made_by_script")

    assert (done.returncode, again.returncode) == (0, 0), done.stderr + again.stderr
    service = await ServiceClient.connect(ConnectConfig(target_host=temporal.address))
    described = await service.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace="made_by_script")
    )
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION
    assert await missing_search_attributes(service, "made_by_script") == []


async def test_a_namespace_without_the_script_lacks_everything(temporal: TemporalServer) -> None:
    service = await ServiceClient.connect(ConnectConfig(target_host=temporal.address))

    tools = Path(sysconfig.get_path("scripts")) / "temporal"
    await asyncio.to_thread(
        subprocess.run,
        [str(tools), "operator", "namespace", "create", "-n", "by_hand", "--address", temporal.address],
        check=True,
        capture_output=True,
        env={**program_variables(), "HOME": str(temporal.home.temporal)},
        timeout=60,
    )

    assert len(await missing_search_attributes(service, "by_hand")) == 6


def create_databases(server: PostgresServer, password: str) -> subprocess.CompletedProcess[str]:
    address = conninfo_to_dict(server.admin_url)
    tools = find_binaries(server.data.parent, ()).bin
    return ran(
        DEPLOY / "postgres/create_temporal_databases.sh",
        tools,
        PGHOST=str(address["host"]),
        PGPORT=str(address["port"]),
        PGPASSWORD=str(address["password"]),
        PGSSLMODE="disable",
        POSTGRES_USER=str(address["user"]),
        TEMPORAL_DATABASE_PASSWORD=password,
    )


def connect_as_temporal(server: PostgresServer, database: str) -> "psycopg.Connection[tuple[object, ...]]":
    address = conninfo_to_dict(server.admin_url)
    return psycopg.connect(
        host=address["host"],
        port=address["port"],
        user="temporal",
        password=PASSWORD,
        dbname=database,
        sslmode="disable",
        autocommit=True,
    )


def test_temporal_gets_databases_of_its_own_and_enters_no_other(fresh_postgres: PostgresServer) -> None:
    done = create_databases(fresh_postgres, PASSWORD)

    assert done.returncode == 0, done.stderr
    for database in ("temporal", "temporal_visibility"):
        with connect_as_temporal(fresh_postgres, database) as connection:
            connection.execute("create table schema_version (version text)")
            # Its visibility store installs the trusted extension btree_gin, which takes this right.
            allowed = connection.execute("select has_database_privilege(current_database(), 'create')")
            assert allowed.fetchone() == (True,)
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connect_as_temporal(fresh_postgres, database)


def test_databases_are_not_made_without_a_password(fresh_postgres: PostgresServer) -> None:
    assert create_databases(fresh_postgres, "").returncode != 0


def test_both_stores_of_temporal_get_their_own_schema(tmp_path: Path) -> None:
    tool = tmp_path / "temporal-sql-tool"
    tool.write_text('#!/bin/sh\necho "$*"\n')
    tool.chmod(0o755)

    done = ran(DEPLOY / "temporal/schema.sh", tmp_path)

    assert done.stdout.splitlines() == [
        "--db temporal setup-schema -v 0.0",
        "--db temporal update-schema -d /etc/temporal/schema/postgresql/v12/temporal/versioned",
        "--db temporal_visibility setup-schema -v 0.0",
        "--db temporal_visibility update-schema -d /etc/temporal/schema/postgresql/v12/visibility/versioned",
    ]


def test_a_schema_that_cannot_be_made_stops_everything(tmp_path: Path) -> None:
    tool = tmp_path / "temporal-sql-tool"
    tool.write_text("#!/bin/sh\nexit 3\n")
    tool.chmod(0o755)

    assert ran(DEPLOY / "temporal/schema.sh", tmp_path).returncode == 3


def test_the_dynamic_configuration_has_the_servers_form_and_keys_that_development_runs_with() -> None:
    read = yaml.safe_load((DEPLOY / "temporal/dynamic_config.yaml").read_text())

    assert all(set(entry) <= {"value", "constraints"} for entries in read.values() for entry in entries)
    assert set(DYNAMIC_CONFIG) <= set(read)


@pytest.mark.parametrize("script", sorted(DEPLOY.rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_stop_at_the_first_error_and_can_be_run(script: Path) -> None:
    assert script.read_text().startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in script.read_text()
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", str(script)], check=True, timeout=20)  # noqa: S603, S607 - our own scripts
