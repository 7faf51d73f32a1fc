"""Homes, and a whole system that several tests look at."""

import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.embedded.home import Home, temporary_home
from adapters.postgres.bootstrap import DatabaseUrls
from adapters.settings import Settings
from cli.__main__ import run
from cli.processes import Stack, StackOptions
from tests.cli.filled import document, written
from tests.conftest import MASTER_KEY

Shown = pytest.CaptureFixture[str]


@pytest.fixture
def home() -> Iterator[Home]:
    with temporary_home() as made:
        yield made


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """Everything, emulators included, on ports of its own."""
    with temporary_home() as made:
        system = Stack(made, Settings(_env_file=None), StackOptions(emulators=True, usual_ports=False))
        try:
            await system.start()
            yield system
        finally:
            await system.stop()


@pytest.fixture
def tenant(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> str:
    """A tenant with the policy of Harbour Books, and the environment of a terminal that knows where it is."""
    urls = {
        "OWNER_DATABASE_URL": database_urls.owner,
        "APP_DATABASE_URL": database_urls.app,
        "APP_KEYS_URL": database_urls.key_app,
        "DOOR_DATABASE_URL": database_urls.door,
        "DOOR_KEYS_URL": database_urls.key_door,
    }
    monkeypatch.setenv("COUNTERSIGN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COUNTERSIGN_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    for name, url in urls.items():
        monkeypatch.setenv(f"COUNTERSIGN_{name}", url)
    name = f"lamps_{uuid4().hex[:12]}"
    assert run(["tenant", "add", name, "--file", str(written(tmp_path, document()))]) == 0
    capsys.readouterr()
    return name
