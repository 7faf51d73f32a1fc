"""What pages may open (role `key_door`): door keys, and with them keys of ticket numbers. Nothing else."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from adapters.keys import (
    REMEMBER_KEYS_S,
    REMEMBER_TICKETS,
    KeyKind,
    KeyStore,
    WrappedKey,
    aad_of,
    master,
    unwrap,
)
from adapters.recent import Recent
from domain.ports import DataKey


class PageKeys:
    """Opens what is shown on pages."""

    def __init__(self, store: KeyStore, master_key: bytes) -> None:
        self._store = store
        self._master = master(master_key)
        self._doors: Recent[UUID, DataKey] = Recent(REMEMBER_TICKETS, REMEMBER_KEYS_S)

    async def of_numbers(self, tenant_id: UUID, tickets: Sequence[UUID]) -> Mapping[UUID, DataKey | None]:
        """None for a destroyed key. Never from memory, so that an erasure shows at once.

        A ticket that is left out has no number that can be shown.
        """
        rows = await self._store.read(tenant_id, KeyKind.NUMBER, tickets) if tickets else {}
        parents = {row.wrapped_by for row in rows.values() if row.wrapped is not None and row.wrapped_by}
        doors = await self.door_keys(tenant_id, parents)
        return {ticket: _opened(tenant_id, row, doors) for ticket, row in rows.items()}

    async def door_keys(self, tenant_id: UUID, wanted: Collection[UUID]) -> Mapping[UUID, DataKey]:
        """Earlier or current door keys of the tenant, in at most one round trip."""
        known = {key_id: key for key_id in wanted if (key := self._doors.get(key_id))}
        missing = [key_id for key_id in wanted if key_id not in known]
        rows = await self._store.read(tenant_id, KeyKind.DOOR, missing) if missing else {}
        opened = {key_id: unwrap(tenant_id, row, self._master) for key_id, row in rows.items()}
        for key_id, key in opened.items():
            self._doors.put(key_id, key)
        return known | opened


def number_aad(tenant_id: UUID, ticket_id: UUID) -> bytes:
    """Binds a number to its ticket."""
    return aad_of(tenant_id, "number", ticket_id)


def name_aad(tenant_id: UUID, principal_id: str) -> bytes:
    """Binds a teammate's name to the teammate."""
    return aad_of(tenant_id, "shown_name", principal_id)


def _opened(tenant_id: UUID, row: WrappedKey, doors: Mapping[UUID, DataKey]) -> DataKey | None:
    if row.wrapped is None or row.wrapped_by is None:
        return None
    return unwrap(tenant_id, row, doors[row.wrapped_by])
