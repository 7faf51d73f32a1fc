"""`countersign up` as a person meets it: a process, its lines, Ctrl-C, kill -9, a second terminal."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from adapters.embedded.home import Home
from adapters.embedded.postgres import start_postgres
from adapters.embedded.temporal import start_temporal
from adapters.settings import program_variables
from cli.children import known_children, lives

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
READY = "Ctrl-C stops everything."
WITHIN_S = 90.0


@contextmanager
def _up(home: Home, *arguments: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(  # noqa: S603 - the test's own words
        [sys.executable, "-m", "cli", "up", *arguments],
        cwd=ROOT,
        env=program_variables() | {"COUNTERSIGN_HOME": str(home.path)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _until_ready(process: "subprocess.Popen[str]") -> list[str]:
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if READY in line:
            return lines
    raise AssertionError(lines)


def _interrupt(process: "subprocess.Popen[str]") -> str:
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=WITHIN_S)
    return rest


def _doors(lines: list[str]) -> str:
    return next(line.split()[1] for line in lines if line.startswith("Doors"))


def test_it_says_where_everything_is_and_stops_cleanly(home: Home) -> None:
    with _up(home) as process:
        lines = _until_ready(process)
        assert httpx.get(f"{_doors(lines)}/health/ready", trust_env=False).status_code == 200

        rest = _interrupt(process)

    assert (process.returncode, rest.splitlines()[-1]) == (0, "Stopped")
    assert any("for development only" in line for line in lines)
    assert not any(lives(home, name) for name in known_children(home))
    assert not (home.pg / "data" / "postmaster.pid").exists()


def test_taken_ports_are_told_and_left_alone(home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        with _up(home, COUNTERSIGN_API_PORT=str(taken)) as process:
            lines = _until_ready(process)
            _interrupt(process)

    assert any(line.startswith("Doors") and f"(port {taken} was taken)" in line for line in lines)


def test_a_second_terminal_gets_a_clear_answer(home: Home) -> None:
    with _up(home) as first:
        doors = _doors(_until_ready(first))
        with _up(home) as second:
            said, _ = second.communicate(timeout=WITHIN_S)
        assert httpx.get(f"{doors}/health/ready", trust_env=False).status_code == 200
        _interrupt(first)

    assert second.returncode == 1
    assert said == (
        f"Countersign already runs at {doors} on {str(home.path)!r}. "
        "Stop it with Ctrl-C in its terminal, or set COUNTERSIGN_HOME to another directory\n"
    )


@pytest.mark.crash
def test_after_a_kill_of_everything_it_starts_again_at_the_same_addresses(home: Home) -> None:
    with _up(home) as process:
        first = _until_ready(process)
        process.kill()
        process.wait()
        _kill_all_of(home)

        with _up(home) as again:
            second = _until_ready(again)
            _interrupt(again)

    assert _doors(second) == _doors(first)


@pytest.mark.crash
def test_what_a_killed_supervisor_left_behind_is_ended_or_taken_over(home: Home) -> None:
    with _up(home) as process:
        _until_ready(process)
    assert lives(home, "api")

    with _up(home) as again:
        _until_ready(again)
        _interrupt(again)

    assert not any(lives(home, name) for name in known_children(home))


def test_production_refuses_in_one_sentence(home: Home) -> None:
    with _up(home, COUNTERSIGN_ENV="production") as process:
        said, _ = process.communicate(timeout=WITHIN_S)

    assert process.returncode == 1
    assert said.startswith("COUNTERSIGN_ENV=production refuses the embedded servers. ")
    assert len(said.splitlines()) == 1


def test_an_interrupt_during_the_start_leaves_nothing(home: Home) -> None:
    with _up(home) as process:
        assert process.stdout
        assert process.stdout.readline() == "Starting Postgres\n"
        rest = _interrupt(process)

    assert process.returncode == 130, rest
    assert not (home.pg / "data" / "postmaster.pid").exists()


def _kill_all_of(home: Home) -> None:
    servers = (start_postgres(home, None), start_temporal(home, None, None))
    children = [int((home.run / f"child-{name}.pid").read_text()) for name in known_children(home)]
    for pid in (*(server.pid for server in servers), *children):
        os.kill(pid, signal.SIGKILL)
