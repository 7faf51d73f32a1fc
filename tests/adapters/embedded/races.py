"""Many processes that do the same at once, for launchers that promise to bear it."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run_at_once(code: str, times: int, *arguments: str) -> list[str]:
    """What each printed. All wait for a line on stdin, so that they start together."""
    processes = [_spawn(f"input()\n{code}", *arguments) for _ in range(times)]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * times, [words for _, words in said]
    return [out.strip() for out, _ in said]


def python_for(user: int) -> str | None:
    """A Python of our version that this user may run: ours may lie in a closed directory."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        if os.geteuid() == 0 and _same_version(python, user):
            return python
    return None


def run_as(user: int, home: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One process of another user."""
    return _run([python_for(user) or sys.executable, "-c", code, *arguments], user, home)


def _same_version(python: str, user: int) -> bool:
    try:
        said = _run([python, "-c", "import sys, pydantic; print(*sys.version_info[:2])"], user, Path("/"))
    except OSError:
        return False
    return said.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _run(command: list[str], user: int, home: Path) -> subprocess.CompletedProcess[str]:
    packages = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    return subprocess.run(  # noqa: S603 - the test's own words
        command,
        env={"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": packages},
        cwd="/",
        user=user,
        group=user,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _spawn(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - the test's own words
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
