"""Keys are wrapped, isolated, created once and destroyed for ever."""

from dataclasses import asdict
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError

from adapters.keys import DoorKeys, EnvelopeKeys, KeyKind, aad_of, open_sealed, seal
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.session import Database
from adapters.postgres.tables import data_keys
from adapters.postgres.tenant_registry import TenantRegistry
from domain.errors import KeyDestroyed, KeyStoreUnavailable, UnknownTenant
from domain.ports import DataKey
from domain.ticket import TicketRef
from tests.conftest import MASTER_KEY, Databases, a_tenant


def another(databases: Databases) -> EnvelopeKeys:
    """Another process: nothing in memory yet."""
    return EnvelopeKeys(PostgresKeyStore(databases.key_app), MASTER_KEY)


async def test_every_process_gets_the_same_keys(
    databases: Databases, keys: EnvelopeKeys, ticket: TicketRef
) -> None:
    names = (ticket.tenant_id, ticket.ticket_id)

    assert asdict(await keys.ticket_key(*names)) == asdict(await another(databases).ticket_key(*names))
    assert asdict(await keys.tenant_key(ticket.tenant_id)) == asdict(
        await another(databases).tenant_key(ticket.tenant_id)
    )


async def test_an_earlier_tenant_key_is_found_by_its_id(
    databases: Databases, keys: EnvelopeKeys, tenant_id: UUID
) -> None:
    current = await keys.tenant_key(tenant_id)

    assert asdict(await another(databases).tenant_key_by_id(tenant_id, current.id)) == asdict(current)


async def test_a_destroyed_ticket_key_is_a_tombstone(
    databases: Databases, keys: EnvelopeKeys, ticket: TicketRef
) -> None:
    await keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
    await keys.destroy_ticket_key(ticket.tenant_id, ticket.ticket_id)
    await keys.destroy_ticket_key(ticket.tenant_id, ticket.ticket_id)

    for process in (keys, another(databases)):
        with pytest.raises(KeyDestroyed):
            await process.ticket_key(ticket.tenant_id, ticket.ticket_id)


async def test_a_destroyed_key_is_not_made_again(
    databases: Databases, keys: EnvelopeKeys, ticket: TicketRef
) -> None:
    await keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
    await keys.destroy_ticket_key(ticket.tenant_id, ticket.ticket_id)
    revived = update(data_keys).where(data_keys.c.owner_id == ticket.ticket_id)

    with pytest.raises(DBAPIError, match="A destroyed key stays destroyed"):
        async with databases.key_app.transaction(ticket.tenant_id) as session:
            await session.execute(revived.values(wrapped=b"new", destroyed_at=None))
    with pytest.raises(DBAPIError, match="permission denied"):
        async with databases.key_app.transaction(ticket.tenant_id) as session:
            await session.execute(text("delete from data_keys"))


async def test_an_unreachable_key_store_is_not_a_tombstone(database_urls: object) -> None:
    nowhere = Database("postgresql://nobody:nothing@127.0.0.1:1/nowhere")
    keys = EnvelopeKeys(PostgresKeyStore(nowhere), MASTER_KEY)

    with pytest.raises(KeyStoreUnavailable):
        await keys.ticket_key(uuid4(), uuid4())
    await nowhere.close()


async def test_a_tenant_nobody_registered_has_no_key(keys: EnvelopeKeys, door_keys: DoorKeys) -> None:
    for unknown in (keys.tenant_key, door_keys.door_key):
        with pytest.raises(UnknownTenant):
            await unknown(uuid4())


async def test_the_worker_opens_what_the_door_sealed(
    keys: EnvelopeKeys, door_keys: DoorKeys, tenant_id: UUID
) -> None:
    delivery_id = uuid4()
    sealed = seal(await door_keys.new_delivery_key(tenant_id, delivery_id), b"a body", b"inbox")

    opened = open_sealed(await keys.delivery_key(tenant_id, delivery_id), sealed, b"inbox")

    assert opened == b"a body"


async def test_destroyed_delivery_keys_are_tombstones(
    keys: EnvelopeKeys, door_keys: DoorKeys, tenant_id: UUID
) -> None:
    deliveries = [uuid4(), uuid4()]
    for delivery_id in deliveries:
        await door_keys.new_delivery_key(tenant_id, delivery_id)

    await keys.destroy_delivery_keys(tenant_id, deliveries[:1])
    await keys.destroy_delivery_key(tenant_id, deliveries[0])

    with pytest.raises(KeyDestroyed):
        await keys.delivery_key(tenant_id, deliveries[0])
    assert (await keys.delivery_key(tenant_id, deliveries[1])).id == deliveries[1]


async def test_a_delivery_key_that_never_was_is_not_a_tombstone(keys: EnvelopeKeys, tenant_id: UUID) -> None:
    with pytest.raises(KeyStoreUnavailable):
        await keys.delivery_key(tenant_id, uuid4())


async def test_the_door_reads_no_key_but_its_own(
    databases: Databases, keys: EnvelopeKeys, door_keys: DoorKeys, ticket: TicketRef
) -> None:
    await keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
    await door_keys.new_delivery_key(ticket.tenant_id, uuid4())

    async with databases.key_door.transaction(ticket.tenant_id) as session:
        kinds = (await session.execute(select(data_keys.c.kind))).scalars().all()

    assert kinds == [KeyKind.DOOR]


@pytest.mark.parametrize("kind", ["tenant", "door", "ticket"])
async def test_the_door_adds_only_delivery_keys(databases: Databases, tenant_id: UUID, kind: str) -> None:
    forged = {"tenant_id": tenant_id, "kind": kind, "owner_id": uuid4(), "wrapped": b"x"}

    with pytest.raises(DBAPIError, match="row-level security"):
        async with databases.key_door.transaction(tenant_id) as session:
            await session.execute(insert(data_keys).values(forged))


async def test_a_wrapped_key_opens_for_its_tenant_only(
    databases: Databases, registry: TenantRegistry, tenant_id: UUID, keys: EnvelopeKeys
) -> None:
    other = await a_tenant(registry)
    store = PostgresKeyStore(databases.key_app)
    row = await store.current(tenant_id, KeyKind.TENANT)
    assert row
    assert row.wrapped
    master = DataKey(UUID(int=0), MASTER_KEY)

    with pytest.raises(InvalidTag):
        open_sealed(master, row.wrapped, aad_of(other, KeyKind.TENANT, row.owner_id))
    assert await store.read(other, KeyKind.TENANT, [row.owner_id]) == {}


def test_a_short_master_key_is_refused(databases: Databases) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        EnvelopeKeys(PostgresKeyStore(databases.key_app), b"short")


def test_keys_are_not_printed() -> None:
    assert "secret" not in repr(DataKey(uuid4(), b"secret" * 5))


def test_a_sealed_value_opens_only_where_it_belongs() -> None:
    key = DataKey(uuid4(), bytes(32))
    sealed = seal(key, b"value", aad_of("tenant", "vault", 1))

    assert open_sealed(key, sealed, aad_of("tenant", "vault", 1)) == b"value"
    for wrong_key, wrong_aad in ((DataKey(uuid4(), bytes(32)), b"tenant|vault|1"), (key, b"tenant|vault|2")):
        with pytest.raises(InvalidTag):
            open_sealed(wrong_key, sealed, wrong_aad)


async def test_keys_of_many_tickets_leave_out_the_erased(
    databases: Databases, keys: EnvelopeKeys, tenant_id: UUID
) -> None:
    kept, erased = uuid4(), uuid4()
    key = await keys.ticket_key(tenant_id, kept)
    await keys.ticket_key(tenant_id, erased)
    await keys.destroy_ticket_key(tenant_id, erased)

    for reader in (keys, another(databases)):
        found = await reader.ticket_keys(tenant_id, [kept, erased])
        assert {id_: asdict(one) for id_, one in found.items()} == {kept: asdict(key)}
    with pytest.raises(KeyStoreUnavailable):
        await keys.ticket_keys(tenant_id, [kept, uuid4()])
