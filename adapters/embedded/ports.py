"""Loopback ports: the usual one where it is free, another where not, and the same one next time."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from adapters.embedded.files import locked, write_durably

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen there now; somebody may still be quicker."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set this too, so that connections lingering from the last run do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def any_free_port() -> int:
    """A port the system hands out; free when it was asked."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Whether anything accepts connections there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


class RememberedPorts:
    """The ports of one home, in a file, so that links stay valid over restarts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> dict[str, int]:
        """Every port that was ever chosen, by name."""
        try:
            return {str(name): int(port) for name, port in json.loads(self._path.read_text()).items()}
        except (FileNotFoundError, ValueError):
            return {}

    def choose(self, name: str, usual: int | None) -> int:
        """Last time's port, else the usual one, else any, whichever is free first."""
        for port in (self.all().get(name), usual):
            if port and is_free(port):
                return port
        return any_free_port()

    def remember(self, ports: Mapping[str, int]) -> None:
        """Adds to what is known; other names stay."""
        with locked(self._path.with_suffix(".lock")):
            write_durably(self._path, json.dumps(self.all() | dict(ports), sort_keys=True))
