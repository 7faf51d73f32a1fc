"""Payloads are readable with their tenant's key and nothing else."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext

from adapters.temporal_codec import (
    FRESH_S,
    KEY_ID,
    STALE_S,
    KeyRing,
    NoTenantInWorkflowId,
    PayloadUnreadable,
    TenantCodec,
    tenant_of,
)
from domain.errors import KeyDestroyed, KeyStoreUnavailable
from tests.adapters.temporal_story import OTHER, PLANTED, TENANT, InMemoryKeys

SAID = Payload(metadata={"encoding": b"json/plain"}, data=PLANTED.encode())


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def keys() -> InMemoryKeys:
    return InMemoryKeys()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def codec(keys: InMemoryKeys, clock: Clock) -> TenantCodec:
    return TenantCodec(KeyRing(keys, clock))


def of(codec: TenantCodec, tenant: UUID = TENANT) -> TenantCodec:
    context = WorkflowSerializationContext(namespace="n", workflow_id=f"ticket:{tenant}:r")
    return codec.with_context(context)


async def test_payload_comes_back_as_it_was(codec: TenantCodec) -> None:
    (sealed,) = await of(codec).encode([SAID])

    assert PLANTED.encode() not in sealed.SerializeToString()
    assert await of(codec).decode([sealed]) == [SAID]


async def test_same_payload_never_looks_the_same(codec: TenantCodec) -> None:
    first, second = await of(codec).encode([SAID, SAID])

    assert first.data != second.data


async def test_payload_of_another_tenant_cannot_be_read(codec: TenantCodec, keys: InMemoryKeys) -> None:
    (sealed,) = await of(codec).encode([SAID])
    keys.by_tenant[OTHER] = keys.by_tenant[TENANT]  # even if both had the same key

    with pytest.raises(PayloadUnreadable):
        await of(codec, OTHER).decode([sealed])


async def test_changed_payload_cannot_be_read(codec: TenantCodec) -> None:
    (sealed,) = await of(codec).encode([SAID])
    changed = Payload(metadata=sealed.metadata, data=sealed.data[:-1] + bytes([sealed.data[-1] ^ 1]))

    with pytest.raises(PayloadUnreadable):
        await of(codec).decode([changed])


async def test_payload_without_context_is_refused_at_the_caller(codec: TenantCodec) -> None:
    with pytest.raises(NoTenantInWorkflowId):
        await codec.encode([SAID])


@given(st.text())
def test_other_workflow_ids_name_no_tenant(workflow_id: str) -> None:
    with pytest.raises(NoTenantInWorkflowId):
        tenant_of(workflow_id)


@pytest.mark.parametrize("workflow_id", ["ticket:acme:1", f"{TENANT}", f"ticket:{TENANT}", f":{OTHER}0:x"])
def test_near_misses_name_no_tenant(workflow_id: str) -> None:
    with pytest.raises(NoTenantInWorkflowId):
        tenant_of(workflow_id)


async def test_old_payloads_are_read_after_a_rotation(
    codec: TenantCodec, keys: InMemoryKeys, clock: Clock
) -> None:
    (old,) = await of(codec).encode([SAID])
    keys.rotate(TENANT)
    clock.now += FRESH_S
    (new,) = await of(codec).encode([SAID])

    assert old.metadata[KEY_ID] != new.metadata["countersign-key"]
    assert await of(codec).decode([old, new]) == [SAID, SAID]


async def test_destroyed_key_leaves_a_tombstone(codec: TenantCodec, keys: InMemoryKeys, clock: Clock) -> None:
    (sealed,) = await of(codec).encode([SAID])
    keys.destroyed.add(keys.by_tenant[TENANT][0].id)
    clock.now += FRESH_S

    (read,) = await of(codec).decode([sealed])

    assert read.data == b'{"unreadable":"erased"}'
    with pytest.raises(KeyDestroyed):
        await of(codec).encode([SAID])


async def test_unreachable_key_store_is_no_tombstone(codec: TenantCodec, keys: InMemoryKeys) -> None:
    (sealed,) = await of(codec).encode([SAID])
    keys.away = True

    with pytest.raises(KeyStoreUnavailable):
        await of(TenantCodec(KeyRing(keys))).decode([sealed])


async def test_short_outage_of_the_key_store_stops_nothing(
    codec: TenantCodec, keys: InMemoryKeys, clock: Clock
) -> None:
    (sealed,) = await of(codec).encode([SAID])
    await of(codec).decode([sealed])
    keys.away = True

    clock.now = STALE_S - 1
    assert await of(codec).decode(await of(codec).encode([SAID])) == [SAID]
    clock.now = STALE_S
    with pytest.raises(KeyStoreUnavailable):
        await of(codec).decode([sealed])


async def test_key_is_fetched_once_while_fresh(codec: TenantCodec, keys: InMemoryKeys) -> None:
    await of(codec).encode([SAID] * 50)

    assert keys.reads == 1


async def test_plain_payload_reads_as_unreadable(codec: TenantCodec) -> None:
    (read,) = await of(codec).decode([SAID])

    assert read.data == b'{"unreadable":"not_encrypted"}'
