"""`countersign tenant token` and `tenant link`: a way in, shown once, listed and taken away."""

import asyncio
import base64
import re
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest

from adapters.postgres.bootstrap import DatabaseUrls
from adapters.postgres.door_sessions import DoorSessions
from adapters.postgres.session import Database
from cli.__main__ import run
from tests.cli.filled import document, written
from tests.conftest import MASTER_KEY

TEAMMATE: dict[str, str] = cast("Any", document())["teammates"][0]
Shown = pytest.CaptureFixture[str]


@pytest.fixture
def tenant(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> str:
    """A tenant that was added from its file, as in a terminal beside a running system."""
    monkeypatch.setenv("COUNTERSIGN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COUNTERSIGN_OWNER_DATABASE_URL", database_urls.owner)
    monkeypatch.setenv("COUNTERSIGN_APP_KEYS_URL", database_urls.key_app)
    monkeypatch.setenv("COUNTERSIGN_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    monkeypatch.setenv("COUNTERSIGN_API_PORT", "8123")
    name = f"lamps_{uuid4().hex[:12]}"
    assert run(["tenant", "add", name, "--file", str(written(tmp_path, document()))]) == 0
    capsys.readouterr()
    return name


def _opens(database_urls: DatabaseUrls, token: str) -> bool:
    async def look() -> bool:
        door = Database(database_urls.door, pool_size=1)
        try:
            return await DoorSessions(door).of_token(token) is not None
        finally:
            await door.close()

    return asyncio.run(look())


def test_token_is_shown_once_listed_and_revoked(
    tenant: str, database_urls: DatabaseUrls, capsys: Shown
) -> None:
    teammate = TEAMMATE["name"]
    assert run(["tenant", "token", tenant, teammate]) == 0
    told = capsys.readouterr()
    token = told.out.strip()
    token_id = re.findall(r"--revoke ([0-9a-f-]{36})", told.err)[0]
    opened = _opens(database_urls, token)
    assert run(["tenant", "token", tenant, "--list"]) == 0
    listed = capsys.readouterr().out
    assert run(["tenant", "token", tenant, "--revoke", token_id]) == 0
    again = run(["tenant", "token", tenant, "--revoke", token_id])

    assert re.fullmatch(r"cs_[A-Za-z0-9_-]{43}", token)
    assert token_id in listed
    assert teammate in listed
    assert token not in listed
    assert (opened, _opens(database_urls, token), again) == (True, False, 1)


@pytest.mark.parametrize("name_by", ["name", "slack_user_id"])
def test_link_begins_with_the_address_of_the_api(tenant: str, capsys: Shown, name_by: str) -> None:
    assert run(["tenant", "link", tenant, TEAMMATE[name_by]]) == 0

    assert re.fullmatch(r"http://127\.0\.0\.1:8123/login/[A-Za-z0-9_-]{43}\n", capsys.readouterr().out)


def test_link_begins_with_the_public_address_where_there_is_one(
    tenant: str, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIGN_PUBLIC_URL", "https://desk.example.com/")

    run(["tenant", "link", tenant, TEAMMATE["name"]])

    assert capsys.readouterr().out.startswith("https://desk.example.com/login/")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["token", "{tenant}", "Nobody"], "No teammate is called 'Nobody'"),
        (["link", "{tenant}", "Nobody"], "No teammate is called 'Nobody'"),
        (["token", "no_such", "Nobody"], "No tenant is called 'no_such'"),
        (["token", "{tenant}"], "Name a PRINCIPAL"),
        (["token", "{tenant}", "Nobody", "--list"], "Name a PRINCIPAL"),
        (["token", "{tenant}", "--revoke", "x"], "'x' is not a valid UUID"),
        (["token", "{tenant}", "--revoke", "0" * 8 + "-0000-0000-0000-" + "0" * 12], "has no token"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tenant: str, capsys: Shown, arguments: list[str], sentence: str
) -> None:
    code = run(["tenant", *(word.format(tenant=tenant) for word in arguments)])

    told = capsys.readouterr()
    assert code != 0
    assert sentence in told.err
    assert "Traceback" not in told.err
    assert told.out == ""
