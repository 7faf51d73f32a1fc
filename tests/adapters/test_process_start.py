"""A process with wrong settings says so in one line of its log and ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.settings import program_variables

PROCESSES = ("api", "worker", "api.codec")


def ended(module: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, "-m", module],
        cwd=folder,
        env={**program_variables(), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("module", PROCESSES)
@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"COUNTERSIGN_API_PORT": "hunter2"}, "COUNTERSIGN_API_PORT has a value of the wrong kind"),
        ({"COUNTERSIGN_LOG_LEVEL": "hunter2"}, "COUNTERSIGN_LOG_LEVEL has a value of the wrong kind"),
        ({"COUNTERSIGN_MASTER_KEY_FILE": "/nowhere"}, "names '/nowhere', which cannot be read"),
        (
            {
                "COUNTERSIGN_ENV": "production",
                "COUNTERSIGN_DOOR_DATABASE_URL": "postgresql://d:hunter2@db/x",
            },
            "COUNTERSIGN_DOOR_DATABASE_URL has no password of 16 characters or more",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    module: str, environment: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    process = ended(module, tmp_path, **environment)

    lines = process.stderr.splitlines()
    assert process.returncode == 1
    assert len(lines) == 1
    assert json.loads(lines[0])["event"] == f"{module.rpartition('.')[2]}_not_started"
    assert sentence in json.loads(lines[0])["sentence"]
    assert "hunter2" not in process.stderr + process.stdout
