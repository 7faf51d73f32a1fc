"""Envelope encryption: the master key wraps tenant and door keys, these wrap ticket and delivery keys.

Wrapped keys live in a database of their own. Destroying a key leaves a tombstone; it is never made again.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.recent import Recent
from domain.errors import KeyDestroyed, KeyStoreUnavailable, UnknownTenant
from domain.ports import DataKey

KEY_BYTES = 32
NONCE_BYTES = 12
SEALED_VERSION = b"\x01"
HEADER_BYTES = 17  # version and key id

REMEMBER_KEYS_S = 60.0  # how long an erasure in another process may go unnoticed here
REMEMBER_TICKETS = 2048


class KeyKind(StrEnum):
    """What a key protects."""

    TENANT = "tenant"
    DOOR = "door"
    TICKET = "ticket"
    DELIVERY = "delivery"
    NUMBER = "number"  # of a ticket: its number in the helpdesk and nothing else, so that pages can show it


WRAPPED_BY_DOOR = frozenset({KeyKind.DELIVERY, KeyKind.NUMBER})


@dataclass(frozen=True, repr=False)
class WrappedKey:
    """A row of the key store. `wrapped` is None once the key is destroyed."""

    kind: KeyKind
    owner_id: UUID
    wrapped: bytes | None
    wrapped_by: UUID | None  # None: the master key


class KeyStore(Protocol):
    """Where wrapped keys are kept. Raises `KeyStoreUnavailable`."""

    async def current(self, tenant_id: UUID, kind: KeyKind) -> WrappedKey | None:
        """The newest tenant or door key that is not destroyed."""
        ...

    async def read(self, tenant_id: UUID, kind: KeyKind, owners: Sequence[UUID]) -> Mapping[UUID, WrappedKey]:
        """The keys that exist, tombstones included."""
        ...

    async def add(self, tenant_id: UUID, key: WrappedKey) -> WrappedKey:
        """Adds it unless there is one or a tombstone, and returns what is there."""
        ...

    async def add_unread(self, tenant_id: UUID, key: WrappedKey) -> None:
        """Adds a new key without reading anything; for the door, which must not read."""
        ...

    async def destroy(self, tenant_id: UUID, kind: KeyKind, owners: Sequence[UUID]) -> None:
        """Leaves tombstones. Repeating is safe."""
        ...


def seal(key: DataKey, plaintext: bytes, aad: bytes) -> bytes:
    """Encrypts and authenticates. `aad` says what and whose it is, so that a sealed value cannot move."""
    header = SEALED_VERSION + key.id.bytes
    nonce = secrets.token_bytes(NONCE_BYTES)
    return header + nonce + AESGCM(key.secret).encrypt(nonce, plaintext, header + aad)


def open_sealed(key: DataKey, sealed: bytes, aad: bytes) -> bytes:
    """Raises `InvalidTag` for another key, another `aad` or changed bytes."""
    header, nonce = sealed[:HEADER_BYTES], sealed[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
    if header != SEALED_VERSION + key.id.bytes:
        raise InvalidTag
    return AESGCM(key.secret).decrypt(nonce, sealed[HEADER_BYTES + NONCE_BYTES :], header + aad)


def sealed_by(sealed: bytes) -> UUID:
    """The id of the key that opens it."""
    return UUID(bytes=sealed[1:HEADER_BYTES])


def aad_of(*parts: object) -> bytes:
    """Unambiguous: no part of ours holds the separator."""
    return "|".join(map(str, parts)).encode()


def keyed_digest(key: DataKey, purpose: str, content: bytes) -> str:
    """64 hex digits that confirm nothing to whoever has no key."""
    return hmac.new(key.secret, purpose.encode() + b"\n" + content, hashlib.sha256).hexdigest()


class EnvelopeKeys:
    """The `Keys` port, for the worker and for registering tenants (role `key_app`)."""

    def __init__(self, store: KeyStore, master_key: bytes) -> None:
        self._store = store
        self._master = master(master_key)
        self._recent: Recent[tuple[KeyKind, UUID, UUID], DataKey] = Recent(REMEMBER_TICKETS, REMEMBER_KEYS_S)
        self._newest: Recent[tuple[KeyKind, UUID], UUID] = Recent(REMEMBER_TICKETS, REMEMBER_KEYS_S)

    async def add_tenant_keys(self, tenant_id: UUID) -> None:
        """A tenant's first tenant and door key. Repeating is safe."""
        for kind in (KeyKind.TENANT, KeyKind.DOOR):
            if await self._store.current(tenant_id, kind) is None:
                await self._store.add(tenant_id, _new_key(tenant_id, kind, uuid4(), None, self._master)[1])

    async def tenant_key(self, tenant_id: UUID) -> DataKey:
        """The tenant's current key (payload codec, connection secrets)."""
        return await self._current(tenant_id, KeyKind.TENANT)

    async def door_key(self, tenant_id: UUID) -> DataKey:
        """The tenant's current door key (webhook secrets, delivery keys)."""
        return await self._current(tenant_id, KeyKind.DOOR)

    async def tenant_key_by_id(self, tenant_id: UUID, key_id: UUID) -> DataKey:
        """An earlier or the current tenant key, for decoding."""
        return (await self._opened(tenant_id, KeyKind.TENANT, [key_id]))[key_id]

    async def ticket_key(self, tenant_id: UUID, ticket_id: UUID) -> DataKey:
        """The ticket's key, created at first use, never re-created once destroyed."""
        known = self._recent.get((KeyKind.TICKET, tenant_id, ticket_id))
        if known:
            return known
        rows = await self._store.read(tenant_id, KeyKind.TICKET, [ticket_id])
        row = rows.get(ticket_id) or await self._add_ticket_key(tenant_id, ticket_id)
        return await self._open(tenant_id, row)

    async def ticket_keys(self, tenant_id: UUID, tickets: Sequence[UUID]) -> Mapping[UUID, DataKey]:
        """The existing keys of many tickets, in one round trip; those of erased tickets are left out."""
        known = self._remembered(tenant_id, KeyKind.TICKET, tickets)
        rows = await self._rows(tenant_id, KeyKind.TICKET, tickets)
        opened = await asyncio.gather(*(self._open(tenant_id, row) for row in rows if row.wrapped))
        return known | {key.id: key for key in opened}

    async def number_key(self, tenant_id: UUID, ticket_id: UUID) -> DataKey:
        """The key of the ticket's number, created at first use, never re-created once destroyed."""
        known = self._recent.get((KeyKind.NUMBER, tenant_id, ticket_id))
        if known:
            return known
        rows = await self._store.read(tenant_id, KeyKind.NUMBER, [ticket_id])
        row = rows.get(ticket_id) or await self._add_number_key(tenant_id, ticket_id)
        return await self._open(tenant_id, row)

    async def delivery_key(self, tenant_id: UUID, delivery_id: UUID) -> DataKey:
        """The one-time key of an inbox body."""
        return (await self.delivery_keys(tenant_id, [delivery_id]))[delivery_id]

    async def delivery_keys(self, tenant_id: UUID, deliveries: Sequence[UUID]) -> Mapping[UUID, DataKey]:
        """The same for many, in one round trip. Raises `KeyDestroyed` if one of them is."""
        return await self._opened(tenant_id, KeyKind.DELIVERY, deliveries)

    async def destroy_delivery_key(self, tenant_id: UUID, delivery_id: UUID) -> None:
        """Leaves a tombstone. Repeating is safe."""
        await self.destroy_delivery_keys(tenant_id, [delivery_id])

    async def destroy_delivery_keys(self, tenant_id: UUID, deliveries: Sequence[UUID]) -> None:
        """The same for many, in one round trip."""
        await self._destroy(tenant_id, KeyKind.DELIVERY, deliveries)

    async def destroy_ticket_key(self, tenant_id: UUID, ticket_id: UUID) -> None:
        """Erases everything sealed for the ticket, its number on pages too. Repeating is safe."""
        await self._destroy(tenant_id, KeyKind.TICKET, [ticket_id])
        await self._destroy(tenant_id, KeyKind.NUMBER, [ticket_id])

    async def _destroy(self, tenant_id: UUID, kind: KeyKind, owners: Sequence[UUID]) -> None:
        await self._store.destroy(tenant_id, kind, owners)
        for owner in owners:
            self._recent.forget((kind, tenant_id, owner))

    async def _add_ticket_key(self, tenant_id: UUID, ticket_id: UUID) -> WrappedKey:
        parent = await self.tenant_key(tenant_id)
        fresh = _new_key(tenant_id, KeyKind.TICKET, ticket_id, parent.id, parent)[1]
        return await self._store.add(tenant_id, fresh)

    async def _add_number_key(self, tenant_id: UUID, ticket_id: UUID) -> WrappedKey:
        parent = await self.door_key(tenant_id)
        fresh = _new_key(tenant_id, KeyKind.NUMBER, ticket_id, parent.id, parent)[1]
        return await self._store.add(tenant_id, fresh)

    async def _current(self, tenant_id: UUID, kind: KeyKind) -> DataKey:
        owner = self._newest.get((kind, tenant_id))
        known = self._recent.get((kind, tenant_id, owner)) if owner else None
        if known:
            return known
        row = await self._store.current(tenant_id, kind)
        if row is None:
            raise UnknownTenant(tenant_id)
        self._newest.put((kind, tenant_id), row.owner_id)
        return await self._open(tenant_id, row)

    async def _opened(self, tenant_id: UUID, kind: KeyKind, owners: Sequence[UUID]) -> Mapping[UUID, DataKey]:
        known = self._remembered(tenant_id, kind, owners)
        rows = await self._rows(tenant_id, kind, owners)
        opened = await asyncio.gather(*(self._open(tenant_id, row) for row in rows))
        return known | {key.id: key for key in opened}

    def _remembered(self, tenant_id: UUID, kind: KeyKind, owners: Sequence[UUID]) -> dict[UUID, DataKey]:
        known = {owner: self._recent.get((kind, tenant_id, owner)) for owner in owners}
        return {owner: key for owner, key in known.items() if key}

    async def _rows(self, tenant_id: UUID, kind: KeyKind, owners: Sequence[UUID]) -> Sequence[WrappedKey]:
        """Of those that are not remembered, tombstones included."""
        known = self._remembered(tenant_id, kind, owners)
        missing = [owner for owner in owners if owner not in known]
        rows = await self._store.read(tenant_id, kind, missing) if missing else {}
        if len(rows) < len(missing):
            raise KeyStoreUnavailable  # no tombstone either: nothing is known about it
        return list(rows.values())

    async def _open(self, tenant_id: UUID, row: WrappedKey) -> DataKey:
        key = unwrap(tenant_id, row, await self._parent(tenant_id, row))
        if row.kind is not KeyKind.DELIVERY:  # used once
            self._recent.put((row.kind, tenant_id, row.owner_id), key)
        return key

    async def _parent(self, tenant_id: UUID, row: WrappedKey) -> DataKey:
        if row.wrapped_by is None:
            return self._master
        kind = KeyKind.DOOR if row.kind in WRAPPED_BY_DOOR else KeyKind.TENANT
        return (await self._opened(tenant_id, kind, [row.wrapped_by]))[row.wrapped_by]


class DoorKeys:
    """What the door may do with keys (role `key_door`): open the door key, add delivery keys."""

    def __init__(self, store: KeyStore, master_key: bytes) -> None:
        self._store = store
        self._master = master(master_key)
        self._recent: Recent[UUID, DataKey] = Recent(REMEMBER_TICKETS, REMEMBER_KEYS_S)

    async def door_key(self, tenant_id: UUID) -> DataKey:
        """The tenant's current door key."""
        known = self._recent.get(tenant_id)
        if known:
            return known
        row = await self._store.current(tenant_id, KeyKind.DOOR)
        if row is None:
            raise UnknownTenant(tenant_id)
        key = unwrap(tenant_id, row, self._master)
        self._recent.put(tenant_id, key)
        return key

    async def new_delivery_key(self, tenant_id: UUID, delivery_id: UUID) -> DataKey:
        """Stores a one-time key and returns it; the door cannot read it again."""
        door = await self.door_key(tenant_id)
        key, row = _new_key(tenant_id, KeyKind.DELIVERY, delivery_id, door.id, door)
        await self._store.add_unread(tenant_id, row)
        return key


def unwrap(tenant_id: UUID, row: WrappedKey, parent: DataKey) -> DataKey:
    """Raises `KeyDestroyed` for a tombstone."""
    if row.wrapped is None:
        raise KeyDestroyed
    return DataKey(row.owner_id, open_sealed(parent, row.wrapped, _aad(tenant_id, row.kind, row.owner_id)))


def _new_key(
    tenant_id: UUID, kind: KeyKind, owner_id: UUID, wrapped_by: UUID | None, parent: DataKey
) -> tuple[DataKey, WrappedKey]:
    key = DataKey(owner_id, secrets.token_bytes(KEY_BYTES))
    wrapped = seal(parent, key.secret, _aad(tenant_id, kind, owner_id))
    return key, WrappedKey(kind, owner_id, wrapped, wrapped_by)


def _aad(tenant_id: UUID, kind: KeyKind, owner_id: UUID) -> bytes:
    return aad_of(tenant_id, kind, owner_id)


def master(master_key: bytes) -> DataKey:
    """The key that wraps tenant and door keys."""
    if len(master_key) != KEY_BYTES:
        raise ValueError(f"The master key must have {KEY_BYTES} bytes")
    return DataKey(UUID(int=0), master_key)
