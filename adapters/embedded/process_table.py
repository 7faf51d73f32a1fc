"""What runs under a process id: a number in a file may be a zombie's or somebody else's by now."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def runs(pid: int, executable: str, directory: Path) -> bool:
    """Whether this is a living process of that name, of the directory's owner and working in it."""
    if not PROC.is_dir():
        return _listed_as(pid) == executable
    entry = PROC / str(pid)
    try:
        return (
            _living_name(entry) == executable
            and entry.stat().st_uid == directory.stat().st_uid
            and _works_in(entry, directory)
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_running(executable: str, directory: Path) -> Iterator[int]:
    """Every process with that executable in that directory; none where the system cannot tell."""
    if not PROC.is_dir():
        return
    for entry in PROC.iterdir():
        if entry.name.isdigit() and runs(int(entry.name), executable, directory):
            yield int(entry.name)


def send(pid: int, number: signal.Signals) -> None:
    """Signals a process that may have ended already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _living_name(entry: Path) -> str:
    name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
    return "" if rest.split()[0] in "ZX" else name


def _works_in(entry: Path, directory: Path) -> bool:
    try:
        return (entry / "cwd").readlink() == directory.resolve()
    except PermissionError:
        # Root in a container may not look into other users' processes; name and owner must do.
        return True


def _listed_as(pid: int) -> str:
    listed = subprocess.run(  # noqa: S603 - a number and constants
        ["/bin/ps", "-o", "stat=,comm=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split(None, 1)
    if len(listed) < 2 or listed[0].startswith("Z"):
        return ""
    return Path(listed[1].strip()).name
