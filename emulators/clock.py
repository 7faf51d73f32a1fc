"""Time on the wire: ISO 8601 in UTC with a Z, as helpdesks and payment providers write it."""

from collections.abc import Callable
from datetime import UTC, datetime

# Seconds since the epoch; tests pass their own.
Clock = Callable[[], float]


def iso(seconds: float) -> str:
    """Milliseconds are kept, so that texts sort as the times do."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
