"""Secrets of a deployment are made once, strong, and readable by nobody else."""

import base64
import stat
from pathlib import Path

import pytest
from sqlalchemy import make_url

from adapters.postgres.bootstrap import ROLES
from adapters.production_secrets import refuse_weak_secrets
from adapters.settings import Settings
from cli.__main__ import run
from cli.deploy import environment_of, mounted_secrets
from cli.migrate import addresses_of


def made(folder: Path) -> int:
    return run(["deploy", "secrets", "--directory", str(folder)])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    assert made(tmp_path) == 0

    assert mode(tmp_path / ".env") == 0o600
    assert mode(tmp_path / "secrets") == 0o700


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert made(tmp_path) == 1

    assert "exists and is not overwritten" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("there", [".env", "secrets"])
def test_a_link_is_not_followed(there: str, tmp_path: Path) -> None:
    (tmp_path / there).symlink_to(tmp_path / "elsewhere")

    assert made(tmp_path) == 1

    assert not (tmp_path / "elsewhere").exists()


def test_no_secret_is_used_twice() -> None:
    passwords = [line.partition("=")[2] for line in environment_of().splitlines() if "://" in line]
    kept = [*(make_url(url).password for url in passwords), *mounted_secrets().values()]

    assert len(kept) == len(set(kept))
    assert environment_of() != environment_of()


def test_what_is_made_is_what_production_accepts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_MASTER_KEY_FILE", str(tmp_path / "secrets" / "master_key"))
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "secrets" / "postgres_admin_url"))
    monkeypatch.setenv("KEYS_DATABASE_URL_FILE", str(tmp_path / "secrets" / "keys_admin_url"))
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "as Slack gives it, 32 letters ..")

    settings = Settings(_env_file=tmp_path / ".env")

    refuse_weak_secrets(settings)
    assert set(addresses_of(settings)) == set(ROLES)
    assert settings.master_key is not None
    assert len(base64.b64decode(settings.master_key.get_secret_value())) == 32


def test_no_secret_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path)

    shown = capsys.readouterr()
    kept = [path.read_text().strip() for path in (tmp_path / "secrets").iterdir()]
    assert not any(secret in shown.out + shown.err for secret in kept)
