"""Finds a tenant key by nothing but its id, for the codec server: a payload says no more about itself."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from adapters.keys import WrappedKey, unwrap
from adapters.recent import Recent
from domain.errors import KeyDestroyed
from domain.ports import DataKey

REMEMBER_KEYS = 2048
REMEMBER_KEYS_S = 60.0  # how long an erasure in another process may go unnoticed here


@dataclass(frozen=True, repr=False)
class OwnedKey:
    """Whose it is. `key` is None once it is destroyed."""

    tenant_id: UUID
    key: DataKey | None


class TenantKeyRows(Protocol):
    """Where wrapped tenant keys are found. Raises `KeyStoreUnavailable`."""

    async def by_id(self, ids: Collection[UUID]) -> Mapping[UUID, tuple[UUID, WrappedKey]]:
        """Tenant and row of those that exist, tombstones included."""
        ...


class CodecKeys:
    """Tenant keys only; asked for rarely, because one page of the Temporal UI decodes many times."""

    def __init__(self, rows: TenantKeyRows, master_key: bytes) -> None:
        self._rows = rows
        self._master = DataKey(UUID(int=0), master_key)
        self._recent: Recent[UUID, OwnedKey] = Recent(REMEMBER_KEYS, REMEMBER_KEYS_S)

    async def owned(self, ids: Collection[UUID]) -> Mapping[UUID, OwnedKey]:
        """Without those that never were. Raises `KeyStoreUnavailable`."""
        known = {id_: key for id_ in ids if (key := self._recent.get(id_))}
        missing = [id_ for id_ in ids if id_ not in known]
        rows = await self._rows.by_id(missing) if missing else {}
        found = {id_: self._opened(tenant_id, row) for id_, (tenant_id, row) in rows.items()}
        for id_, key in found.items():
            self._recent.put(id_, key)
        return known | found

    def _opened(self, tenant_id: UUID, row: WrappedKey) -> OwnedKey:
        try:
            return OwnedKey(tenant_id, unwrap(tenant_id, row, self._master))
        except KeyDestroyed:
            return OwnedKey(tenant_id, None)
