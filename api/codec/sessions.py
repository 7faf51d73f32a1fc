"""Signed-in browsers: the token travels sealed and for one working day, in a cookie closed to scripts.

Cookies ignore ports, so other servers on the same host get to see it; the token itself they never see.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from uuid import UUID

from cryptography.exceptions import InvalidTag

from adapters.keys import open_sealed, seal
from domain.ports import DataKey

COOKIE = "countersign_codec"
LIFE_S = 8 * 3600
PURPOSE = b"countersign codec session 1"


class Sessions:
    """Stateless, so that a restart signs nobody out; the token is looked up anew at every request."""

    def __init__(self, master_key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key = DataKey(UUID(int=0), hmac.digest(master_key, PURPOSE, hashlib.sha256))
        self._clock = clock

    def open(self, credential: str) -> str:
        """The cookie's value."""
        content = json.dumps([int(self._clock()) + LIFE_S, credential]).encode()
        return seal(self._key, content, PURPOSE).hex()

    def credential(self, cookie: str) -> str | None:
        """None for anything that we did not make, and after its life."""
        try:
            ends_at, credential = json.loads(open_sealed(self._key, bytes.fromhex(cookie), PURPOSE))
        except (ValueError, InvalidTag):
            return None
        return str(credential) if self._clock() < ends_at else None
