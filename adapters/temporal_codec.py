"""Encrypts every payload under the key of the tenant that the workflow's id names.

The SDK tells the codec the workflow id of each payload; an id without a tenant raises at the caller.
Key ids travel in the metadata, so keys can rotate while workflows run.
"""

import os
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Protocol, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec, SerializationContext, WithSerializationContext

from adapters.payload_compression import NotInflatable, deflate, inflate
from domain.errors import KeyDestroyed, KeyStoreUnavailable
from domain.ports import DataKey

ENCODING = b"binary/encrypted"
KEY_ID = "key"
NONCE_BYTES = 12
FRESH_S = 60.0  # how long a destroyed or rotated key may still be used by this process
STALE_S = 900.0  # how long an outage of the key store does not matter


class NoTenantInWorkflowId(Exception):
    """Only ids of the form `{kind}:{tenant}:{name}` can be encrypted."""

    def __init__(self) -> None:
        super().__init__("The workflow id does not name a tenant")


class PayloadUnreadable(Exception):
    """The payload was changed, or belongs to another tenant."""

    def __init__(self) -> None:
        super().__init__("The payload cannot be decrypted with the key it names")


@lru_cache(maxsize=4096)
def tenant_of(workflow_id: str) -> UUID:
    """The tenant in `{kind}:{tenant}:{name}`."""
    try:
        _, tenant, _ = workflow_id.split(":", 2)
        return UUID(tenant)
    except ValueError:
        raise NoTenantInWorkflowId from None


class TenantKeys(Protocol):
    """The part of `domain.ports.Keys` that payloads need."""

    async def tenant_key(self, tenant_id: UUID) -> DataKey:
        """The current key."""
        ...

    async def tenant_key_by_id(self, tenant_id: UUID, key_id: UUID) -> DataKey:
        """An earlier or the current one."""
        ...


class KeyRing:
    """Tenant keys kept unwrapped in memory, so that a short outage of the key store stops nothing."""

    def __init__(self, keys: TenantKeys, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._kept: dict[tuple[UUID, UUID | None], tuple[float, DataKey]] = {}

    async def current(self, tenant: UUID) -> DataKey:
        """What to encrypt with now."""
        return await self._read((tenant, None), lambda: self._keys.tenant_key(tenant))

    async def by_id(self, tenant: UUID, key_id: UUID) -> DataKey:
        """What a payload was encrypted with."""
        return await self._read((tenant, key_id), lambda: self._keys.tenant_key_by_id(tenant, key_id))

    async def _read(self, slot: tuple[UUID, UUID | None], load: Callable[[], Awaitable[DataKey]]) -> DataKey:
        read_at, key = self._kept.get(slot, (None, None))
        if key and read_at is not None and self._clock() - read_at < FRESH_S:
            return key
        try:
            loaded = await load()
        except KeyDestroyed:
            self._kept.pop(slot, None)
            raise
        except KeyStoreUnavailable:
            if key and read_at is not None and self._clock() - read_at < STALE_S:
                return key
            raise
        self._kept[slot] = (self._clock(), loaded)
        return loaded


class TenantCodec(PayloadCodec, WithSerializationContext):
    """AES-256-GCM. A random nonce per payload is safe for 2^32 payloads of one key; rotate before.

    Decoding answers a typed tombstone for a destroyed key; a key store that cannot be reached raises.
    """

    def __init__(self, ring: KeyRing, tenant: UUID | None = None) -> None:
        self._ring = ring
        self._tenant = tenant

    def with_context(self, context: SerializationContext) -> Self:
        """The codec of the tenant that the context's workflow id names."""
        workflow_id = getattr(context, "workflow_id", None)
        return type(self)(self._ring, tenant_of(workflow_id) if workflow_id else None)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises `NoTenantInWorkflowId` where nothing says whose the payload is."""
        tenant = self._known_tenant()
        key = await self._ring.current(tenant)
        return [_sealed(payload, tenant, key) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises `PayloadUnreadable` for a payload of another tenant."""
        tenant = self._known_tenant()
        return [await self._opened(payload, tenant) for payload in payloads]

    def _known_tenant(self) -> UUID:
        if self._tenant is None:
            raise NoTenantInWorkflowId
        return self._tenant

    async def _opened(self, payload: Payload, tenant: UUID) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            # Somebody beside us wrote it. Raising would stop the workflow for good;
            # this does not validate as anything, so a signal is dropped and an update refused.
            return tombstone("not_encrypted")
        try:
            key = await self._ring.by_id(tenant, key_id_of(payload))
        except KeyDestroyed:
            return tombstone("erased")
        return unsealed(payload, tenant, key)


def _sealed(payload: Payload, tenant: UUID, key: DataKey) -> Payload:
    nonce = os.urandom(NONCE_BYTES)
    small = deflate(payload.SerializeToString())
    sealed = AESGCM(key.secret).encrypt(nonce, small, _bound(tenant, key.id))
    return Payload(metadata={"encoding": ENCODING, KEY_ID: key.id.bytes}, data=nonce + sealed)


def unsealed(payload: Payload, tenant: UUID, key: DataKey) -> Payload:
    """What was sealed. Raises `PayloadUnreadable`."""
    nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
    try:
        opened = inflate(AESGCM(key.secret).decrypt(nonce, sealed, _bound(tenant, key.id)))
    except (InvalidTag, NotInflatable, ValueError):
        raise PayloadUnreadable from None
    return Payload.FromString(opened)


def _bound(tenant: UUID, key_id: UUID) -> bytes:
    return b"countersign payload 1" + tenant.bytes + key_id.bytes


def key_id_of(payload: Payload) -> UUID:
    """The key it names. Raises `PayloadUnreadable` where it names none."""
    try:
        return UUID(bytes=payload.metadata.get(KEY_ID, b""))
    except ValueError:
        raise PayloadUnreadable from None


def tombstone(why: str) -> Payload:
    """Readable JSON in place of what cannot be opened."""
    return Payload(metadata={"encoding": b"json/plain"}, data=f'{{"unreadable":"{why}"}}'.encode())
