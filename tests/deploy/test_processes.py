"""The whole preparation as a deployment does it: secrets, two database servers, `migrate`, the processes.

What the compose file tells each process is what it gets here; only addresses are those of this machine.
"""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from adapters.embedded.home import temporary_home
from adapters.embedded.ports import any_free_port
from adapters.embedded.postgres import start_postgres
from adapters.settings import program_variables
from cli.__main__ import run
from tests.deploy.composition import VARIABLE, composition, environment

Process = asyncio.subprocess.Process
PRODUCTION_REFUSES = "lacks published security fixes"


@dataclass(frozen=True)
class Deployment:
    """A folder with secrets, and the servers that are meant by the names of the compose file."""

    folder: Path
    made: Mapping[str, str]
    addresses: Mapping[str, str]

    def environment_of(self, service: str, **changed: str) -> dict[str, str]:
        """What the container is told, in the world outside of containers."""
        told = environment(composition()["services"][service])
        given = {name: self._here(value) for name, value in told.items() if value is not None}
        # The embedded servers are refused in production; one test below looks at just that.
        return {**program_variables(), **given, "COUNTERSIGN_ENV": "development", **changed}

    def _here(self, value: str) -> str:
        text = VARIABLE.sub(lambda found: self.made.get(found["name"]) or found["rest"], value)
        text = text.replace("/run/secrets", str(self.folder / "secrets"))
        for name, address in self.addresses.items():
            text = text.replace(f"@{name}:5432", f"@{address}")
        return text


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    assert run(["deploy", "secrets", "--directory", str(folder)]) == 0
    with temporary_home() as main, temporary_home() as keys:
        servers = {"postgres": start_postgres(main, None), "keys": start_postgres(keys, None)}
        for name, server in servers.items():
            # The servers make their administrator's password themselves.
            (folder / "secrets" / f"{name}_admin_url").unlink()
            (folder / "secrets" / f"{name}_admin_url").write_text(server.admin_url)
        lines = (folder / ".env").read_text().splitlines()
        made = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        made["SLACK_SIGNING_SECRET"] = "an invented secret of Slack's"
        yield Deployment(folder, made, {name: f"127.0.0.1:{server.port}" for name, server in servers.items()})
        for server in servers.values():
            server.stop()


@pytest.fixture(scope="module")
def migrated(deployment: Deployment) -> Deployment:
    done = migrate(deployment)
    assert done.returncode == 0, done.stderr
    return deployment


def migrate(deployment: Deployment, **changed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "migrate"],
        cwd=deployment.folder / "secrets",
        env=deployment.environment_of("migrate", **changed),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@asynccontextmanager
async def started(folder: Path, told: Mapping[str, str], module: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, cwd=folder, env=told, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def test_migrate_may_be_repeated(migrated: Deployment) -> None:
    again = migrate(migrated)

    assert again.returncode == 0, again.stderr
    assert "The main database is at " in again.stdout


def test_production_refuses_an_outdated_server_already_here(migrated: Deployment) -> None:
    refused = migrate(migrated, COUNTERSIGN_ENV="production")

    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert PRODUCTION_REFUSES in refused.stderr


async def test_the_doors_open_with_what_the_container_is_told(migrated: Deployment) -> None:
    port = any_free_port()
    told = migrated.environment_of("api", COUNTERSIGN_LISTEN_HOST="127.0.0.1", COUNTERSIGN_API_PORT=str(port))

    async with started(migrated.folder / "secrets", told, "api") as process, httpx.AsyncClient() as client:
        ready = await answered(client, f"http://127.0.0.1:{port}/health/ready")
        process.send_signal(signal.SIGTERM)
        code = await process.wait()

    assert (ready.status_code, code) == (HTTPStatus.OK, 0)
    assert ready.json()["database"] == "ok"


async def answered(client: httpx.AsyncClient, url: str) -> httpx.Response:
    async with asyncio.timeout(60):
        while True:
            try:
                return await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def test_a_worker_waits_for_temporal_and_says_nothing_of_secrets(migrated: Deployment) -> None:
    told = migrated.environment_of("worker", TEMPORAL_ADDRESS=f"127.0.0.1:{any_free_port()}")

    async with started(migrated.folder / "secrets", told, "worker") as process:
        lines = await until_event(process, "temporal_awaited")

    assert [line["event"] for line in lines if line["level"] == "error"] == []
    shown = json.dumps(lines)
    assert not any(value in shown for value in migrated.made.values() if "://" in value)


@pytest.mark.parametrize("module", ["api", "worker"])
async def test_every_process_refuses_an_outdated_server_in_production(
    migrated: Deployment, module: str
) -> None:
    told = migrated.environment_of(module, COUNTERSIGN_ENV="production")

    async with started(migrated.folder / "secrets", told, module) as process:
        lines = await until_event(process, f"{module}_not_started")
        code = await process.wait()

    assert code == 1
    assert PRODUCTION_REFUSES in str(lines[-1]["sentence"])


async def until_event(process: Process, event: str) -> list[dict[str, object]]:
    """Log lines up to the event; ends with what was said where the process ended before."""
    assert process.stderr is not None
    lines: list[dict[str, object]] = []
    async with asyncio.timeout(90):
        async for line in process.stderr:
            lines.append(json.loads(line))
            if lines[-1]["event"] == event:
                return lines
    raise AssertionError(lines[-3:])
