"""The embedded servers as supervised services."""

import signal
from dataclasses import dataclass, field

from adapters.embedded.files import last_line
from adapters.embedded.home import Home
from adapters.embedded.postgres import USUAL_PORT as POSTGRES_PORT
from adapters.embedded.postgres import PostgresServer, start_postgres
from adapters.embedded.process_table import send
from adapters.embedded.temporal import USUAL_CODEC_PORT as CODEC_PORT
from adapters.embedded.temporal import USUAL_PORT as TEMPORAL_PORT
from adapters.embedded.temporal import USUAL_UI_PORT as TEMPORAL_UI_PORT
from adapters.embedded.temporal import TemporalServer, start_temporal

__all__ = ["POSTGRES_PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT", "EmbeddedPostgres", "EmbeddedTemporal"]


class NotStarted(Exception):
    """Asked for a server before it was started."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The {name} server has not been started")


@dataclass
class EmbeddedPostgres:
    """Restarted on the same port with all its rows."""

    home: Home
    usual_port: int | None = POSTGRES_PORT
    name: str = "postgres"
    _server: PostgresServer | None = field(default=None, repr=False)

    @property
    def server(self) -> PostgresServer:
        """Once started."""
        if self._server is None:
            raise NotStarted(self.name)
        return self._server

    @property
    def pid(self) -> int | None:
        """Of the postmaster."""
        return self._server.pid if self._server else None

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return last_line(self.home.logs / "postgres.log")

    def start(self) -> None:
        """Attaches where it runs already."""
        self._server = start_postgres(self.home, self.usual_port)

    def is_running(self) -> bool:
        """Whether the postmaster lives."""
        return self._server is not None and self._server.is_running()

    def stop(self) -> None:
        """A fast shutdown."""
        if self._server:
            self._server.stop()

    def kill(self) -> None:
        """As a crash would."""
        send(self.server.pid, signal.SIGKILL)


@dataclass
class EmbeddedTemporal:
    """Restarted on the same ports with all its workflows."""

    home: Home
    usual_port: int | None = TEMPORAL_PORT
    usual_ui_port: int | None = TEMPORAL_UI_PORT
    usual_codec_port: int | None = CODEC_PORT
    name: str = "temporal"
    _server: TemporalServer | None = field(default=None, repr=False)

    @property
    def server(self) -> TemporalServer:
        """Once started."""
        if self._server is None:
            raise NotStarted(self.name)
        return self._server

    @property
    def pid(self) -> int | None:
        """Of the server."""
        return self._server.pid if self._server else None

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return last_line(self.home.logs / "temporal.log")

    def start(self) -> None:
        """Attaches where it runs already."""
        # Started again, it tells its UI the address at which the codec server still listens.
        codec_port = self._server.codec_port if self._server else None
        self._server = start_temporal(
            self.home, self.usual_port, self.usual_ui_port, self.usual_codec_port, codec_port=codec_port
        )

    def is_running(self) -> bool:
        """Whether it lives."""
        return self._server is not None and self._server.is_running()

    def stop(self) -> None:
        """A graceful shutdown."""
        if self._server:
            self._server.stop()

    def kill(self) -> None:
        """As a crash would."""
        send(self.server.pid, signal.SIGKILL)
