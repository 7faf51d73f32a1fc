"""`.env.example` and the settings say the same."""

import re
from enum import Enum
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_core import PydanticUndefined

from adapters import settings as module
from adapters.settings import Settings, SettingUnusable, drop_postgres_variables, program_variables

ROOT = Path(__file__).parents[1]
LINE = re.compile(r"^# ([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)


def _example() -> dict[str, str]:
    return dict(LINE.findall((ROOT / ".env.example").read_text()))


def _defaults() -> dict[str, str]:
    defaults = {str(field.alias): field.default for field in Settings.model_fields.values()}
    return {name: _written(value) for name, value in defaults.items()}


def _written(value: object) -> str:
    if value is None or value is PydanticUndefined:
        return ""
    return str(value.value if isinstance(value, Enum) else value)


def test_every_setting_is_in_the_example_with_its_default() -> None:
    assert _example() == _defaults()


def test_a_secret_is_not_shown() -> None:
    shown = repr(Settings(_env_file=None, master_key=SecretStr("abc")))

    assert "abc" not in shown


def test_only_the_documented_names_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/root")
    monkeypatch.setenv("workers", "7")
    (tmp_path / ".env").write_text("home=/root\nCOUNTERSIGN_API_PORT=8001\n")

    settings = Settings(_env_file=tmp_path / ".env")

    assert (settings.home, settings.workers, settings.api_port) == (None, 1, 8001)


def test_a_setting_of_the_wrong_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_WORKERS", "0")

    with pytest.raises(ValidationError):
        Settings(_env_file=None)


@pytest.mark.parametrize(
    "url", ["opa:8181", "ftp://opa", "http://", "http://me:word@opa", "http://opa?x", "http://o pa"]
)
def test_address_of_opa_without_a_scheme_or_with_a_password_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, opa_url=url)


@pytest.mark.parametrize("url", ["", "http://opa:8181", "https://opa.internal/team/", "http://[::1]:8181"])
def test_address_of_opa(url: str) -> None:
    assert Settings(_env_file=None, opa_url=url).opa_url == url


def test_children_are_given_nothing_of_the_callers_but_what_programs_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    monkeypatch.setenv("PGPASSWORD", "invented")

    assert set(program_variables()) <= set(module.NEEDED_BY_PROGRAMS)


def test_libpq_variables_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVICE", "other")

    drop_postgres_variables()

    with pytest.raises(KeyError):
        monkeypatch.delenv("PGSERVICE")


def test_a_secret_may_be_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    monkeypatch.setenv("COUNTERSIGN_MASTER_KEY_FILE", str(tmp_path / "key"))

    settings = Settings(_env_file=None)

    assert settings.master_key == SecretStr("from a file")


def test_a_value_comes_before_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file")
    monkeypatch.setenv("COUNTERSIGN_MASTER_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("COUNTERSIGN_MASTER_KEY", "from the environment")

    settings = Settings(_env_file=None)

    assert settings.master_key == SecretStr("from the environment")


def test_a_secret_file_that_cannot_be_read_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL_FILE", "/nowhere/url")

    with pytest.raises(SettingUnusable, match=r"DATABASE_URL_FILE names '/nowhere/url'"):
        Settings(_env_file=None)


def test_only_secrets_are_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "port").write_text("9000")
    monkeypatch.setenv("COUNTERSIGN_API_PORT_FILE", str(tmp_path / "port"))

    assert Settings(_env_file=None).api_port == 8000
