"""Opens what an operator may read, and says what has to be written down about it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import UUID

from temporalio.api.common.v1 import Payload

from adapters.codec_keys import OwnedKey
from adapters.temporal_codec import PayloadUnreadable, key_id_of, tombstone, unsealed
from api.codec.operators import Operator
from api.codec.wire import is_ours
from api.problems import Problem
from domain.audit import PayloadsDecoded, PayloadsRefused

LARGEST_ANSWER = 32_000_000


class AnswerTooLarge(Problem):
    """Small payloads can hold a lot."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "answer_too_large",
            "The decoded payloads are too large",
            f"At most {LARGEST_ANSWER} bytes are answered; send fewer payloads",
        )


@dataclass
class _Tally:
    opened: int = 0
    erased: int = 0
    refused: int = 0
    keys: set[UUID] = field(default_factory=set)


class Opening:
    """One request. `payloads` holds None for what goes back as it came."""

    def __init__(self, operator: Operator, keys: Mapping[UUID, OwnedKey]) -> None:
        self._operator = operator
        self._keys = keys
        self._tallies: dict[UUID, _Tally] = defaultdict(_Tally)
        self._size = 0

    def open(self, payloads: Sequence[Payload]) -> list[Payload | None]:
        """In their order. Raises `AnswerTooLarge`."""
        return [self._one(payload) if is_ours(payload) else None for payload in payloads]

    def events(self) -> list[tuple[UUID, PayloadsDecoded | PayloadsRefused]]:
        """One per tenant whose payloads were asked for. What was refused stands where the asker belongs:
        the other tenant's chain is not theirs to write into, and names nobody else's people."""
        return [self._event(tenant_id, tally) for tenant_id, tally in self._tallies.items()]

    def _one(self, payload: Payload) -> Payload | None:
        key_id = key_id_of(payload)
        owned = self._keys.get(key_id)
        if owned is None:
            return None
        if self._operator.reader(owned.tenant_id) is None:
            self._count(owned, key_id).refused += 1
            return None
        if owned.key is None:
            self._count(owned, key_id).erased += 1
            return tombstone("erased")
        try:
            opened = unsealed(payload, owned.tenant_id, owned.key)
        except PayloadUnreadable:
            return None
        self._size += opened.ByteSize()
        if self._size > LARGEST_ANSWER:
            raise AnswerTooLarge
        self._count(owned, key_id).opened += 1
        return opened

    def _count(self, owned: OwnedKey, key_id: UUID) -> _Tally:
        tally = self._tallies[owned.tenant_id]
        tally.keys.add(key_id)
        return tally

    def _event(self, tenant_id: UUID, tally: _Tally) -> tuple[UUID, PayloadsDecoded | PayloadsRefused]:
        keys = tuple(sorted(tally.keys))
        reader = self._operator.reader(tenant_id)
        if reader is None:
            by_tenant, by = self._operator.home()
            return by_tenant, PayloadsRefused(by=by, refused=tally.refused, keys=keys)
        return tenant_id, PayloadsDecoded(by=reader, opened=tally.opened, erased=tally.erased, keys=keys)
