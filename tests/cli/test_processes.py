"""The whole system started as processes: addresses, environments, deaths and returns."""

import json
from pathlib import Path

import psutil
import psycopg
import pytest
from pydantic import SecretStr

from adapters.embedded.home import Home
from adapters.settings import Environment, Settings
from cli.processes import (
    AddressUnknown,
    AlreadyRunning,
    EmulatorsRefused,
    ProductionRefused,
    Stack,
    StackOptions,
    settings_of_running,
)
from cli.readiness import answers
from tests.cli.tiny_children import until

pytestmark = pytest.mark.end_to_end


async def test_everything_answers(stack: Stack) -> None:
    assert await answers(f"{stack.api_url}/health/ready")
    assert await answers(f"{stack.emulators_url}/health/live")
    assert stack.supervisor.names == ["postgres", "temporal", "emulators", "api", "codec", "worker-1"]


async def test_each_process_knows_only_its_own_roles(stack: Stack) -> None:
    def told(name: str) -> set[str]:
        environment = psutil.Process(stack.supervisor.service(name).pid).environ()
        return {key for key in environment if key.startswith(("COUNTERSIGN_", "SLACK_"))}

    assert not {key for key in told("api") if "_APP_" in key or "EGRESS" in key or "OWNER" in key}
    assert not {key for key in told("worker-1") if "_DOOR_" in key or "OWNER" in key or "SIGNING" in key}
    assert {key for key in told("codec") if "_URL" in key} == {
        "COUNTERSIGN_CODEC_DATABASE_URL",
        "COUNTERSIGN_CODEC_KEYS_URL",
    }
    assert told("emulators") == set()


async def test_no_process_knows_the_administrator(stack: Stack) -> None:
    password = (stack.home.secrets / "postgres_superuser").read_text()

    for name in ("emulators", "api", "codec", "worker-1"):
        assert password not in json.dumps(psutil.Process(stack.supervisor.service(name).pid).environ())


async def test_secrets_lie_in_closed_files(stack: Stack) -> None:
    modes = {path.stat().st_mode & 0o777 for path in stack.home.secrets.iterdir()}

    assert modes == {0o600}


async def test_a_killed_api_comes_back_at_its_address(stack: Stack) -> None:
    api = stack.supervisor.service("api")
    first = api.pid

    await stack.supervisor.kill("api")
    await until(lambda: api.pid != first and api.is_running())
    await stack.until_ready()

    assert await answers(f"{stack.api_url}/health/ready")


async def test_a_killed_worker_is_replaced(stack: Stack) -> None:
    worker = stack.supervisor.service("worker-1")
    first = worker.pid

    await stack.supervisor.kill("worker-1")
    await until(lambda: worker.pid != first and worker.is_running())

    await stack.until_ready()


async def test_killed_servers_come_back_at_their_addresses(stack: Stack) -> None:
    services = [stack.supervisor.service(name) for name in ("postgres", "temporal")]
    first = [service.pid for service in services]

    for service in services:
        await stack.supervisor.kill(service.name)
    await until(lambda: all(s.is_running() and s.pid != pid for s, pid in zip(services, first, strict=True)))

    await stack.until_ready()


async def test_a_second_supervisor_on_the_same_home_is_told_where_the_first_is(stack: Stack) -> None:
    second = Stack(stack.home, Settings(_env_file=None), StackOptions(usual_ports=False))

    with pytest.raises(AlreadyRunning, match=f"already runs at {stack.api_url}"):
        await second.start()
    await second.stop()

    assert await answers(f"{stack.api_url}/health/ready")


async def test_commands_in_another_terminal_find_everything(stack: Stack) -> None:
    known = settings_of_running(stack.home, Settings(_env_file=None))

    assert known.owner_database_url
    with psycopg.connect(known.owner_database_url.get_secret_value()) as connection:
        assert connection.info.user == "countersign_owner"
    assert stack.api_url.endswith(f":{known.api_port}")


def test_what_the_environment_says_comes_before_what_a_running_system_wrote(home: Home) -> None:
    (home.secrets / "connections.json").write_text(
        '{"COUNTERSIGN_API_PORT": "1", "SLACK_SIGNING_SECRET": "s"}'
    )

    known = settings_of_running(home, Settings(_env_file=None, api_port=2))

    assert (known.api_port, known.slack_signing_secret) == (2, SecretStr("s"))


async def test_production_refuses_the_embedded_servers(home: Home) -> None:
    stack = Stack(home, Settings(_env_file=None, environment=Environment.PRODUCTION))

    with pytest.raises(ProductionRefused, match="Set DATABASE_URL and TEMPORAL_ADDRESS"):
        await stack.start()

    assert not (home.pg / "data").exists()


async def test_production_refuses_what_plays_the_outside_world(home: Home) -> None:
    settings = Settings(
        _env_file=None,
        environment=Environment.PRODUCTION,
        database_url=SecretStr("postgresql://postgres@127.0.0.1:1/postgres"),
        temporal_address="127.0.0.1:1",
    )

    with pytest.raises(EmulatorsRefused):
        await Stack(home, settings, StackOptions(emulators=True)).start()


def test_addresses_are_unknown_before_the_start(home: Home) -> None:
    with pytest.raises(AddressUnknown):
        _ = Stack(home, Settings(_env_file=None)).api_url


async def test_with_servers_of_ones_own_nothing_embedded_starts(stack: Stack, home: Home) -> None:
    """The running system plays the servers somebody else looks after."""
    admin = (stack.home.secrets / "postgres_superuser").read_text()
    port = stack.home.ports.all()["postgres"]
    own = Settings(
        _env_file=None,
        database_url=SecretStr(f"postgresql://postgres:{admin}@127.0.0.1:{port}/postgres?sslmode=disable"),
        temporal_address=stack.environments.embedded_temporal_address,
    )
    _share_passwords(stack.home, home)
    second = Stack(home, own, StackOptions(workers=1, usual_ports=False))
    try:
        await second.start()

        assert second.supervisor.names == ["api", "codec", "worker-1"]
    finally:
        await second.stop()


def _share_passwords(one: Home, other: Home) -> None:
    for path in (*one.secrets.glob("database_*"), one.secrets / "master_key"):
        _copy_closed(path, other.secrets / path.name)


def _copy_closed(path: Path, target: Path) -> None:
    target.write_text(path.read_text())
    target.chmod(0o600)
