"""`python -m api` as a process: starts, answers, ends in good order when told to."""

import asyncio
import base64
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from adapters.postgres.bootstrap import DatabaseUrls
from adapters.settings import program_variables
from tests.conftest import MASTER_KEY

Process = asyncio.subprocess.Process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def started(folder: Path, environment: dict[str, str]) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api",
        cwd=folder,
        env={**program_variables(), **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def an_environment(urls: DatabaseUrls, port: int) -> dict[str, str]:
    return {
        "COUNTERSIGN_DOOR_DATABASE_URL": urls.door,
        "COUNTERSIGN_DOOR_KEYS_URL": urls.key_door,
        "COUNTERSIGN_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
        "COUNTERSIGN_API_PORT": str(port),
    }


async def answered(url: str) -> httpx.Response:
    """Asks until somebody listens."""
    async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                return await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def test_doors_open_and_close_in_good_order(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    port = free_port()
    async with started(tmp_path, an_environment(database_urls, port)) as process:
        ready = await answered(f"http://127.0.0.1:{port}/health/ready")
        process.send_signal(signal.SIGTERM)
        code = await process.wait()

    assert ready.status_code == HTTPStatus.OK
    assert code == 0


@pytest.mark.parametrize(
    ("trusted", "status"), [("127.0.0.1", HTTPStatus.UNAUTHORIZED), ("192.0.2.1", HTTPStatus.FORBIDDEN)]
)
async def test_only_a_trusted_proxy_says_that_the_browser_speaks_tls(
    database_urls: DatabaseUrls, tmp_path: Path, trusted: str, status: HTTPStatus
) -> None:
    """The same form: from our own page where the proxy is believed, from another origin where it is not."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = an_environment(database_urls, port) | {"COUNTERSIGN_TRUSTED_PROXIES": trusted}
    async with started(tmp_path, environment):
        await answered(f"{url}/health/live")
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {"Origin": f"https://127.0.0.1:{port}", "X-Forwarded-Proto": "https"}
            said = await client.post(f"{url}/login", data={"token": "wrong"}, headers=headers)

    assert said.status_code == status


async def test_missing_setting_is_named(tmp_path: Path) -> None:
    async with started(tmp_path, {}) as process:
        _, written = await process.communicate()

    assert process.returncode == 1
    assert b"COUNTERSIGN_DOOR_DATABASE_URL" in written
