"""`python -m emulators` as a process: survives SIGKILL, stops on SIGTERM, refuses a bad setup."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.emulators.serving import setup, ticket

PATIENCE_S = 30.0


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def _running(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    config = folder / "setup.json"
    config.write_text(json.dumps(setup("http://127.0.0.1:9")))
    command = [sys.executable, "-m", "emulators", "--port", str(port), "--state", str(folder / "a state")]
    process = subprocess.Popen([*command, "--config", str(config)])  # noqa: S603 - our own module
    headers = {"authorization": "Bearer control"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:
            _wait_until_live(process, client)
            yield process, client
    finally:
        process.kill()
        process.wait()


def _wait_until_live(process: subprocess.Popen[bytes], client: httpx.Client) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.get("/health/live").raise_for_status()
        except httpx.TransportError:
            continue
        return
    raise AssertionError


def test_state_survives_being_killed(tmp_path: Path) -> None:
    port = _free_port()
    with _running(tmp_path, port) as (process, client):
        client.post("/control/tickets", json=ticket(ticket_id="T1"))
        process.send_signal(signal.SIGKILL)
        process.wait()

    with _running(tmp_path, port) as (_, client):
        state = client.get("/control/state").json()

    assert [entry["id"] for entry in state["tickets"]] == ["T1"]
    assert [entry["state"] for entry in state["webhooks"]] == ["pending"]


def test_sigterm_stops_it_cleanly(tmp_path: Path) -> None:
    with _running(tmp_path, _free_port()) as (process, _):
        process.send_signal(signal.SIGTERM)

        assert process.wait(PATIENCE_S) == 0


def test_bad_setup_is_refused_in_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "setup.json"
    config.write_text('{"brands": [{"name": "Not A Name"}]}')
    command = [
        sys.executable,
        "-m",
        "emulators",
        "--port",
        "1",
        "--state",
        str(tmp_path),
        "--config",
        str(config),
    ]

    finished = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module

    assert finished.returncode == 2
    assert "brands.0.name" in finished.stderr
    assert "Traceback" not in finished.stderr
