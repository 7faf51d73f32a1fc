"""The wall clock, injected where a step needs it so that tests can move it."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import time

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.fromtimestamp(time(), UTC)
