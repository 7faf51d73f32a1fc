"""Counts failed logins per address, so that guessing costs an attacker more than it costs us."""

from collections.abc import Callable
from http import HTTPStatus
from time import monotonic

from adapters.recent import Recent
from api.problems import Problem

FAILURES = 20
WITHIN_S = 300.0
ADDRESSES = 4096


class TooManyAttempts(Problem):
    """This address has failed too often lately."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_attempts",
            "Too many failed logins",
            "Wait five minutes and try again",
        )
        self.headers = {"Retry-After": str(int(WITHIN_S))}


class FailedAttempts:
    """Per process. Each failure starts the five minutes anew."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._failures: Recent[str, int] = Recent(ADDRESSES, WITHIN_S, clock)

    def refuse_if_many(self, address: str) -> None:
        """Raises `TooManyAttempts`."""
        if (self._failures.get(address) or 0) >= FAILURES:
            raise TooManyAttempts

    def failed(self, address: str) -> None:
        """One more."""
        self._failures.put(address, (self._failures.get(address) or 0) + 1)
