"""A Postgres server of our own on the loopback, started from a wheel. Never for production."""

import os
import secrets
import signal
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from adapters.embedded.errors import (
    HomeNotUsable,
    OtherServerVersion,
    PasswordMissing,
    ServerDidNotStart,
)
from adapters.embedded.files import last_line, locked
from adapters.embedded.home import Home
from adapters.embedded.ports import LOOPBACK, is_listening
from adapters.embedded.postgres_data import ADMIN, make_data, runner, sweep, users
from adapters.embedded.postgres_wheel import ENVIRONMENT, MAJOR, PostgresBinaries, find_binaries, popen_as
from adapters.embedded.process_table import all_running, runs, send
from adapters.settings import drop_postgres_variables

USUAL_PORT = 5432
START_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0
# Backends that outlive a killed postmaster keep its memory; after this they are ended.
LINGER_S = 2.0
PAUSE_S = 0.02

SERVER_SETTINGS = {
    "listen_addresses": LOOPBACK,  # never "localhost": of two addresses one may fail with a mere warning
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failed statement's text holds values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass
class PostgresServer:
    """A running server. Whoever opened the same home may stop it."""

    port: int
    pid: int
    password: str = field(repr=False)
    data: Path
    # The child when this process started it; None where it was found running.
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def admin_url(self) -> str:
        """The superuser's address: for bootstrap only, never given to api or worker."""
        word = quote(self.password, safe="")
        return (
            f"postgresql://{ADMIN}:{word}@{LOOPBACK}:{self.port}/postgres?sslmode=disable&gssencmode=disable"
        )

    def is_running(self) -> bool:
        """Whether the process is there; it may be starting or recovering."""
        if self.process:
            return self.process.poll() is None
        return runs(self.pid, "postgres", self.data)

    def stop(self) -> None:
        """Ends open connections and shuts down cleanly; safe to repeat."""
        if self.is_running():
            send(self.pid, signal.SIGINT)
        deadline = time.monotonic() + STOP_WITHIN_S
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(PAUSE_S)


def start_postgres(home: Home, usual_port: int | None = USUAL_PORT) -> PostgresServer:
    """The home's server: found running, restarted or made. Blocks; any number of callers may race."""
    drop_postgres_variables()
    with locked(home.run / "postgres.lock"):
        return _Launcher(home, usual_port).server()


class _Launcher:
    """One attempt to have the server, under the home's lock."""

    def __init__(self, home: Home, usual_port: int | None) -> None:
        self._home = home
        self._usual_port = usual_port
        self._data = home.pg / "data"
        self._log = home.logs / "postgres.log"

    def server(self) -> PostgresServer:
        self._refuse_other_major()
        password = self._password()
        attached = self._attach(password)
        if attached:
            return attached
        self._refuse_closed_way()
        sweep(self._home.pg)
        binaries = find_binaries(self._home.pg, users())
        if not self._data.exists():
            make_data(binaries, self._data, password, self._log)
        return self._start(binaries, password)

    def _refuse_other_major(self) -> None:
        version = self._data / "PG_VERSION"
        if version.exists() and (found := version.read_text().strip()) != MAJOR:
            raise OtherServerVersion("Postgres", self._data, found, MAJOR)

    def _refuse_closed_way(self) -> None:
        if os.geteuid() != 0:
            return
        closed = [path for path in self._home.pg.parents if not path.stat().st_mode & 0o001]
        if closed:
            why = f"lies below {str(closed[0])!r}, which the database user cannot pass through"
            raise HomeNotUsable(self._home.path, why)

    def _password(self) -> str:
        saved = self._home.secrets / "postgres_superuser"
        if self._data.exists() and not saved.exists():
            raise PasswordMissing(saved)
        return self._home.secret("postgres_superuser", lambda: secrets.token_urlsafe(24))

    # --- a server that runs already ---------------------------------------------------------------

    def _attach(self, password: str) -> PostgresServer | None:
        """Waits for a living server of ours that is starting or recovering; clears a dead one's mark."""
        deadline = time.monotonic() + START_WITHIN_S
        while pid := self._living_postmaster():
            port = self._port_of_postmaster()
            if port and self._answers(port, password):
                return PostgresServer(port, pid, password, self._data)
            if time.monotonic() > deadline:
                raise ServerDidNotStart("Postgres", self._log, last_line(self._log))
            time.sleep(PAUSE_S)
        # The number may be a zombie's or, after a container's restart, another program's: Postgres
        # would refuse for ever. Backends that still live are caught by its shared-memory check.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        return None

    def _living_postmaster(self) -> int | None:
        lines = self._postmaster_lines()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        _reap(pid)
        return pid if runs(pid, "postgres", self._data) else None

    def _port_of_postmaster(self) -> int | None:
        lines = self._postmaster_lines()
        return int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else None

    def _postmaster_lines(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _answers(self, port: int, password: str) -> bool:
        """Whether the server there is the one of our files, and not another that took the port."""
        if not is_listening(port):
            return False
        try:
            with psycopg.connect(
                host=LOOPBACK,
                port=port,
                user=ADMIN,
                password=password,
                dbname="postgres",
                sslmode="disable",
                gssencmode="disable",
                options="",
                connect_timeout=5,
            ) as connection:
                found = connection.execute("select system_identifier from pg_control_system()").fetchone()
        except psycopg.OperationalError:
            return False
        return found == (self._system_identifier(),)

    def _system_identifier(self) -> int:
        with (self._data / "global" / "pg_control").open("rb") as file:
            return int(struct.unpack("=Q", file.read(8))[0])

    # --- a start ----------------------------------------------------------------------------------

    def _start(self, binaries: PostgresBinaries, password: str) -> PostgresServer:
        began = time.monotonic()
        while True:
            port = self._home.ports.choose("postgres", self._usual_port)
            process = self._spawn(binaries, port)
            if self._ready(process, port, password):
                self._home.ports.remember({"postgres": port})
                return PostgresServer(port, process.pid, password, self._data, process)
            waited = time.monotonic() - began
            if waited > START_WITHIN_S or not self._may_succeed_later():
                raise ServerDidNotStart("Postgres", self._log, last_line(self._log))
            if waited > LINGER_S:
                self._end_lingering_backends()

    def _spawn(self, binaries: PostgresBinaries, port: int) -> "subprocess.Popen[bytes]":
        settings = [f"--{name}={value}" for name, value in (SERVER_SETTINGS | {"port": str(port)}).items()]
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.previous"))
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal must not end it before the worker has drained.
            return subprocess.Popen(  # noqa: S603 - our own programs and paths
                [binaries.postgres, "-D", self._data, *settings],
                env=ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **popen_as(runner()),
            )

    def _ready(self, process: "subprocess.Popen[bytes]", port: int, password: str) -> bool:
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return False
            if self._answers(port, password):
                return True
            time.sleep(PAUSE_S)
        process.send_signal(signal.SIGINT)
        process.wait()
        return False

    def _may_succeed_later(self) -> bool:
        said = self._log.read_text(errors="replace")
        return "could not bind" in said or "pre-existing shared memory" in said

    def _end_lingering_backends(self) -> None:
        for pid in all_running("postgres", self._data):
            send(pid, signal.SIGQUIT)


def _reap(pid: int) -> None:
    """A child of ours that ended stays a zombie until somebody asks."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
