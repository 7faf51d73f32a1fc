"""What the codec server needs, as its tests can have it too."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from adapters.codec_keys import OwnedKey
from api.codec.allowance import Allowance
from api.codec.operators import Operators
from api.codec.sessions import Sessions
from domain.audit import PayloadsDecoded, PayloadsRefused


class Keys(Protocol):
    """Raises `KeyStoreUnavailable`."""

    async def owned(self, ids: Collection[UUID]) -> Mapping[UUID, OwnedKey]:
        """Keys by id, without those that never were."""
        ...


class Records(Protocol):
    """Raises where a row cannot be written."""

    async def write(self, events: Sequence[tuple[UUID, PayloadsDecoded | PayloadsRefused]]) -> None:
        """One audit row per event, committed on return."""
        ...


@dataclass(frozen=True)
class CodecParts:
    """Everything the application stands on. The caller owns what they hold open."""

    keys: Keys
    records: Records
    operators: Operators
    sessions: Sessions
    allowance: Allowance
    stores_answer: Callable[[], Awaitable[None]]
    origins: frozenset[str]  # of the Temporal UI
    secure_cookies: bool = True
