"""How much one operator may decode: a stolen token cannot empty the histories in a night."""

import math
import time
from collections.abc import Callable
from http import HTTPStatus

from adapters.recent import Recent
from api.problems import Problem

BURST = 3_000  # payloads; a page of the UI shows about a hundred
PER_SECOND = 20.0
REMEMBER = 4_096


class TooMuch(Problem):
    """The allowance is used up."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(
            HTTPStatus.TOO_MANY_REQUESTS,
            "allowance_used_up",
            "Too many payloads were decoded with this token",
            f"At most {BURST} at once and {PER_SECOND:.0f} a second are decoded",
        )
        self.headers = {"Retry-After": str(math.ceil(wait_s))}


class Allowance:
    """A bucket of tokens per operator. Holds for this process; a restart fills it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # A bucket that was not touched for so long is full again, so forgetting it changes nothing.
        self._left: Recent[bytes, tuple[float, float]] = Recent(REMEMBER, BURST / PER_SECOND, clock)

    def take(self, whose: bytes, payloads: int) -> None:
        """A request without payloads counts as one. Raises `TooMuch`."""
        wanted, now = max(payloads, 1), self._clock()
        left, at = self._left.get(whose) or (float(BURST), now)
        left = min(left + (now - at) * PER_SECOND, BURST)
        if left < wanted:
            raise TooMuch((wanted - left) / PER_SECOND)
        self._left.put(whose, (left - wanted, now))
