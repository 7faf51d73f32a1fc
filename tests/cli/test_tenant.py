import base64
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.postgres.bootstrap import DatabaseUrls
from cli.__main__ import run
from tests.cli.filled import document, written
from tests.conftest import MASTER_KEY


@pytest.fixture
def running(database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a terminal beside a running system."""
    monkeypatch.setenv("COUNTERSIGN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COUNTERSIGN_OWNER_DATABASE_URL", database_urls.owner)
    monkeypatch.setenv("COUNTERSIGN_APP_KEYS_URL", database_urls.key_app)
    monkeypatch.setenv("COUNTERSIGN_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    monkeypatch.setenv("COUNTERSIGN_API_PORT", "8123")


def test_added_tenant_is_told_and_listed(
    running: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, path = f"lamps_{uuid4().hex[:12]}", written(tmp_path, document())

    assert run(["tenant", "add", name, "--file", str(path)]) == 0
    assert f"http://127.0.0.1:8123/hooks/{name}/generic/" in capsys.readouterr().out
    assert run(["tenant", "add", name, "--file", str(path)]) == 0
    assert "brought up to date" in capsys.readouterr().out
    assert run(["tenant", "list"]) == 0
    assert name in capsys.readouterr().out


def test_wrong_file_is_one_sentence_and_nothing_is_written(
    running: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = document()
    del content["slack"]

    assert run(["tenant", "add", "lamps", "--file", str(written(tmp_path, content))]) == 1

    assert capsys.readouterr().err == "File 'tenant.yaml', field 'slack': Is missing. Add it\n"


def test_without_a_running_system_the_way_to_start_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_HOME", str(tmp_path / "home"))

    assert run(["tenant", "add", "lamps", "--file", str(written(tmp_path, document()))]) != 0

    assert "countersign up" in capsys.readouterr().err
