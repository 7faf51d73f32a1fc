"""A child without engines, for tests of the pool itself: it echoes, dies, hangs, raises and makes noise."""

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any


def _die(_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _hang(_: Any) -> Any:
    time.sleep(600)


def _raise(text: Any) -> Any:
    raise LookupError(text)


def _chatter(text: Any) -> Any:
    sys.stdout.write("this must not reach the pipe\n")
    sys.stdout.flush()
    os.write(1, b"nor this\n")
    return text


def _interrupt(_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGINT)
    return "still here"


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "echo": lambda value: value,
    "die": _die,
    "hang": _hang,
    "raise": _raise,
    "chatter": _chatter,
    "interrupt": _interrupt,
    "environment": lambda _: dict(os.environ),  # noqa: TID251 - the test asks what the child was given
}


def warm() -> None:
    """Nothing to warm; prints, as a library might while it is imported."""
    sys.stdout.write("warming\n")
