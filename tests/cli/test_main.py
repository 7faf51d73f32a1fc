"""The command itself: whatever goes wrong is one sentence."""

import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest
from pydantic import SecretStr, ValidationError

from adapters.settings import Settings
from cli import __main__ as command
from cli.__main__ import COMMANDS, run
from cli.sentences import sentence_for
from domain.errors import KeyStoreUnavailable

ROOT = Path(__file__).parents[2]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0

    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    assert run([name, "--help"]) == 0


def test_an_unknown_command_is_a_sentence_and_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["upp"]) == 2

    assert "No such command 'upp'" in capsys.readouterr().err


def test_a_setting_of_the_wrong_kind_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNTERSIGN_WORKERS", "many")

    assert run(["doctor"]) == 1

    assert capsys.readouterr().err == (
        "Settings cannot be read: COUNTERSIGN_WORKERS is missing or has a value of the wrong kind\n"
    )


def test_an_unexpected_error_shows_neither_traceback_nor_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ida@example.com")

    monkeypatch.setattr(command.countersign, "main", fail)

    assert run(["up"]) == 1

    shown = capsys.readouterr()
    assert shown.err.startswith("Unexpected ZeroDivisionError. ")
    assert "ida@example.com" not in shown.err + shown.out


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (KeyStoreUnavailable(), "The key store is not available"),
        (psycopg.OperationalError("host 1.2.3.4"), "The database did not do it (OperationalError). "),
        (RuntimeError("Failed client connect"), "Temporal does not answer (RuntimeError). "),
        (httpx.ConnectError("x"), "A server of ours does not answer (ConnectError). "),
        (FileNotFoundError(2, "No such file", "tenant.yaml"), "No such file: 'tenant.yaml'"),
    ],
)
def test_a_known_situation_has_its_sentence(error: Exception, sentence: str) -> None:
    assert sentence_for(error).startswith(sentence)


def test_a_refused_value_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, api_port="hunter2", master_key=SecretStr("a"))

    assert "hunter2" not in sentence_for(refused.value)


def test_the_command_ends_with_its_own_code() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "nonsense"], cwd=ROOT, capture_output=True, check=False, timeout=60
    )

    assert done.returncode == 2
