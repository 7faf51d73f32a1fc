"""A child process of the supervisor, known by a lock it holds: a process id alone may be somebody else's."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.embedded.files import is_locked, last_line, take_lock, write_durably
from adapters.embedded.home import Home
from adapters.embedded.process_table import send

PAUSE_S = 0.02
LARGEST_LOG = 10_000_000


class LeftoverProcess(Exception):
    """A child of an earlier run cannot be ended."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The {name} of an earlier run does not end. End its process and try again")


@dataclass
class ChildProcess:
    """`python -m …` with exactly this environment, its words in a log file, in a session of its own."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    home: Home
    grace_s: float = 20.0  # a worker finishes its own steps within ten
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def pid(self) -> int | None:
        """Of the running process, or of the last one."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.home.logs / f"{self.name}.log"

    @property
    def last_words(self) -> str:
        """The end of its log, for the person at the terminal."""
        return last_line(self.log)

    def start(self) -> None:
        """Ends what an earlier run left behind, then starts."""
        end_leftover(self.home, self.name)
        lock = take_lock(_lock_of(self.home, self.name))
        if lock is None:
            raise LeftoverProcess(self.name)
        # A stale id must not stand beside a held lock, should we be killed before the new one is written.
        _pid_file_of(self.home, self.name).unlink(missing_ok=True)
        try:
            self._process = self._popen(lock)
        finally:
            os.close(lock)
        write_durably(_pid_file_of(self.home, self.name), str(self._process.pid))

    def is_running(self) -> bool:
        """Whether it lives; asking also takes a dead one off the process table."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Asks it to end, and ends it when its time is over; safe to repeat."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(self.grace_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it without a word, as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def _popen(self, lock: int) -> "subprocess.Popen[bytes]":
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.previous"))
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own modules
                # -P: nothing that lies in the working directory may be imported.
                [sys.executable, "-P", *self.arguments],
                env=dict(self.environment),
                cwd=self.home.run,  # no .env there
                pass_fds=(lock,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def end_leftover(home: Home, name: str, patience_s: float = 10.0) -> None:
    """Ends the process of that name whose supervisor was killed; its lock tells that it still lives."""
    lock = _lock_of(home, name)
    if not is_locked(lock):
        return
    pid_file = _pid_file_of(home, name)
    if not pid_file.exists():
        raise LeftoverProcess(name)
    pid = int(pid_file.read_text())
    deadline = time.monotonic() + patience_s
    send(pid, signal.SIGTERM)
    while is_locked(lock):
        if time.monotonic() > deadline:
            send(pid, signal.SIGKILL)
        if time.monotonic() > deadline + patience_s:
            raise LeftoverProcess(name)
        time.sleep(PAUSE_S)


def lives(home: Home, name: str) -> bool:
    """Whether a child of that name runs, whoever supervises it."""
    return is_locked(_lock_of(home, name))


def known_children(home: Home) -> list[str]:
    """Every name a child of this home ever had."""
    return sorted(path.stem.removeprefix("child-") for path in home.run.glob("child-*.lock"))


def _lock_of(home: Home, name: str) -> Path:
    return home.run / f"child-{name}.lock"


def _pid_file_of(home: Home, name: str) -> Path:
    return home.run / f"child-{name}.pid"
