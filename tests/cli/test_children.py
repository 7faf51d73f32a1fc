"""Child processes: what they are told, how they end, what becomes of orphans."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from adapters.embedded.home import Home
from cli.children import ChildProcess, LeftoverProcess, end_leftover, known_children, lives
from tests.cli.tiny_children import DEAF, tiny, until

ROOT = Path(__file__).parents[2]
SAYS_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)), flush=True)"


@pytest.fixture
def child(home: Home) -> Iterator[ChildProcess]:
    made = tiny(home)
    made.start()
    yield made
    made.kill()


def test_a_started_child_lives_until_it_is_stopped(home: Home, child: ChildProcess) -> None:
    assert (child.is_running(), lives(home, "tiny")) == (True, True)

    child.stop()

    assert (child.is_running(), lives(home, "tiny")) == (False, False)


async def test_a_child_gets_its_environment_and_nothing_else(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIGN_MASTER_KEY", "invented")
    child = tiny(home, SAYS_ENVIRONMENT, GIVEN="yes")

    child.start()
    await until(lambda: not child.is_running())

    told = json.loads(child.last_words)
    assert told["GIVEN"] == "yes"
    assert "COUNTERSIGN_MASTER_KEY" not in told


async def test_a_child_that_does_not_listen_is_ended(home: Home) -> None:
    child = tiny(home, DEAF)
    child.start()
    await until(lambda: child.last_words == "deaf")

    child.stop()

    assert not child.is_running()


def test_an_orphan_of_a_killed_supervisor_is_ended_before_the_next_start(home: Home) -> None:
    orphan = _orphan(home)
    assert lives(home, "tiny")

    child = tiny(home)
    child.start()
    child.kill()

    # Whoever adopted it may take its time to bury it.
    assert not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE
    assert known_children(home) == ["tiny"]


def test_a_process_id_without_a_held_lock_is_left_alone(home: Home, child: ChildProcess) -> None:
    (home.run / "child-other.pid").write_text(str(child.pid))

    end_leftover(home, "other")

    assert child.is_running()


def test_an_orphan_nobody_can_name_is_told(home: Home, child: ChildProcess) -> None:
    (home.run / "child-tiny.pid").unlink()

    with pytest.raises(LeftoverProcess, match="of an earlier run does not end"):
        end_leftover(home, "tiny")


def _orphan(home: Home) -> int:
    """Started by a process that ends at once without stopping it."""
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from adapters.embedded.home import open_home\nfrom tests.cli.tiny_children import tiny\n"
        "child = tiny(open_home(Path(sys.argv[1])))\nchild.start()\nprint(child.pid, flush=True)\nos._exit(0)"
    )
    said = subprocess.run(  # noqa: S603 - the test's own words
        [sys.executable, "-c", code, str(home.path)],
        cwd=ROOT,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return int(said.stdout)
