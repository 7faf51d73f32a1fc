"""`countersign measures` and `ticket judge`, as a person reads them at a terminal."""

import base64
import json
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.postgres.bootstrap import DatabaseUrls
from cli.__main__ import run
from tests.cli.filled import document, written
from tests.conftest import MASTER_KEY

Shown = pytest.CaptureFixture[str]


@pytest.fixture
def tenant(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> str:
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


def test_tenant_without_tickets_has_numbers_of_nothing(tenant: str, tmp_path: Path, capsys: Shown) -> None:
    export = tmp_path / "export.jsonl"

    assert run(["measures", tenant, "--since", "7d", "--export", str(export)]) == 0

    shown = capsys.readouterr().out
    assert "tickets opened         0" in shown
    assert "contained              –" in shown
    assert [json.loads(line) for line in export.read_text().splitlines()] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--since", "yesterday"], "is no age"),
        (["--since", "999999d"], "before there were tickets"),
        (["--export", "/no/such/folder/x.jsonl"], "No such file"),
    ],
)
def test_bad_options_are_a_sentence(tenant: str, arguments: list[str], sentence: str, capsys: Shown) -> None:
    assert run(["measures", tenant, *arguments]) != 0

    assert sentence in capsys.readouterr().err


def test_tenant_that_is_not_there_is_a_sentence(tenant: str, capsys: Shown) -> None:
    assert run(["measures", "nobody"]) == 1

    assert "No tenant is called 'nobody'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("teammate", "sentence"),
    [
        ("U0NORA", "Nobody has worked on this ticket yet"),
        ("U0EVE", "has no teammate 'U0EVE'"),
    ],
)
def test_judging_what_is_not_there_is_a_sentence(
    tenant: str, teammate: str, sentence: str, capsys: Shown
) -> None:
    assert run(["ticket", "judge", f"{tenant}/7", "--as", teammate, "--handoff", "wrong"]) == 1

    assert sentence in capsys.readouterr().err
