"""The file is renewed while the worker works, and gone afterwards."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from adapters.settings import program_variables
from worker.heartbeat import STALE_AFTER_S, heartbeat, is_alive


async def test_a_working_worker_is_alive_and_a_stopped_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"

    async with heartbeat(file):
        alive = is_alive(file, time.time())

    assert alive
    assert not is_alive(file, time.time())


def test_a_worker_whose_loop_hangs_is_not_alive(tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"
    file.touch()

    assert is_alive(file, time.time())
    assert not is_alive(file, time.time() + STALE_AFTER_S + 1)


async def test_without_a_file_nothing_beats() -> None:
    before = asyncio.all_tasks()

    async with heartbeat(None):
        assert asyncio.all_tasks() == before


def checked(folder: Path, file: Path) -> int:
    return subprocess.run(
        [sys.executable, "-m", "worker.heartbeat"],
        cwd=folder,
        env={**program_variables(), "COUNTERSIGN_HEARTBEAT_FILE": str(file)},
        check=False,
        timeout=60,
    ).returncode


def test_the_health_check_says_it_by_its_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"
    assert checked(tmp_path, file) == 1

    file.touch()
    assert checked(tmp_path, file) == 0

    os.utime(file, (0, 0))
    assert checked(tmp_path, file) == 1
