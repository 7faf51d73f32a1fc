"""COUNTERSIGN_HOME: where the embedded servers keep their state, and who may look into it."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.embedded.errors import HomeNotUsable
from adapters.embedded.files import locked, write_durably
from adapters.embedded.ports import RememberedPorts

HOME_OF_ROOT = Path("/var/lib/countersign")
PASSABLE = 0o711  # others may pass through to what is theirs, and list nothing
PRIVATE_DIRECTORY = 0o700
CHILDREN = ("temporal", "secrets", "emulators", "logs")


@dataclass(frozen=True)
class Home:
    """The opened directory; `open_home` makes it and checks that it is ours."""

    path: Path

    @property
    def pg(self) -> Path:
        """The database's files; passable, because as root its server runs as another user."""
        return self.path / "pg"

    @property
    def temporal(self) -> Path:
        """The Temporal server's database."""
        return self.path / "temporal"

    @property
    def secrets(self) -> Path:
        """Passwords and keys, one file each."""
        return self.path / "secrets"

    @property
    def emulators(self) -> Path:
        """The emulators' books."""
        return self.path / "emulators"

    @property
    def logs(self) -> Path:
        """What the servers and our own processes say."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Locks, process ids and ports."""
        return self.path / "run"

    @property
    def ports(self) -> RememberedPorts:
        """The ports that were chosen for this home."""
        return RememberedPorts(self.run / "endpoints.json")

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """Made once, then the same for ever; on the disk before anybody uses it."""
        path = self.secrets / name
        with locked(self.run / "secrets.lock"):
            if not path.exists():
                write_durably(path, make())
            return path.read_text()


def default_home() -> Path:
    """As root below /var/lib: the database's own user cannot pass through /root."""
    if os.geteuid() == 0:
        return HOME_OF_ROOT
    return Path.home() / ".local" / "share" / "countersign"


def open_home(path: Path | None = None) -> Home:
    """Makes what is missing, refuses what belongs to somebody else. Safe to repeat."""
    home = Home((path or default_home()).expanduser().absolute())
    outer = PASSABLE if os.geteuid() == 0 else PRIVATE_DIRECTORY
    _own_directory(home.path, outer, _refuse_foreign_contents)
    # First of all, because it tells our homes from other directories.
    _own_directory(home.run, PRIVATE_DIRECTORY)
    _own_directory(home.pg, outer)
    for child in CHILDREN:
        _own_directory(home.path / child, PRIVATE_DIRECTORY)
    return home


@contextmanager
def temporary_home() -> Iterator[Home]:
    """A home for one test or measurement. Stop its servers before it is removed."""
    # Not below pytest's own folder: as root that is closed to the database user.
    with TemporaryDirectory(prefix="countersign-") as folder:
        Path(folder).chmod(PASSABLE)
        yield open_home(Path(folder) / "home")


def _own_directory(path: Path, mode: int, refuse: Callable[[Path], None] = lambda _: None) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(path)
        refuse(path)
        path.chmod(mode)
    except FileExistsError as error:
        raise HomeNotUsable(path, "is not a directory") from error
    except PermissionError as error:
        raise HomeNotUsable(path, "may not be used by this user") from error


def _refuse_foreign(path: Path) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise HomeNotUsable(path, "is a symbolic link")
    if found.st_uid != os.geteuid():
        raise HomeNotUsable(path, "belongs to another user")


def _refuse_foreign_contents(path: Path) -> None:
    """Permissions of a directory that holds something else are not ours to change."""
    if not (path / "run").is_dir() and any(path.iterdir()):
        raise HomeNotUsable(path, "holds other files")
