"""The inbox on a real server: one row per delivery, fair batches, bodies that end with their keys."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from adapters.keys import DoorKeys, EnvelopeKeys
from adapters.postgres.bootstrap import DatabaseUrls
from adapters.postgres.deliveries import InboxDeliveries
from adapters.postgres.inbox import Accepted, Arrival, DoorInbox, InboxKind, InboxState
from adapters.postgres.inbox_kicks import InboxKicks
from adapters.postgres.relay_inbox import RelayInbox, WaitingRow
from adapters.postgres.tables import inbox
from adapters.postgres.tenant_registry import TenantRegistry
from domain.errors import KeyDestroyed
from domain.ticket import TicketRef
from tests.conftest import Databases, a_tenant


def arrival(ticket: TicketRef, key: str = "", **changes: object) -> Arrival:
    return Arrival(
        **{
            "tenant_id": ticket.tenant_id,
            "kind": InboxKind.HELPDESK,
            "source": "generic",
            "delivery_key": key or uuid4().hex,
            "body": b'{"ticket_id":"1001"}',
            "external_id": "1001",
            "route": ticket.route,
            "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
            **changes,
        }  # type: ignore[arg-type]
    )


@pytest.fixture(autouse=True)
async def nothing_left_waiting(databases: Databases, tenant_id: UUID) -> AsyncIterator[None]:
    """Delayed rows would come due in the middle of another test."""
    yield
    ending = update(inbox).where(inbox.c.tenant_id == tenant_id, inbox.c.state == InboxState.PENDING)
    async with databases.app.transaction(tenant_id) as session:
        await session.execute(ending.values(state=InboxState.CONSUMED))


@pytest.fixture
def door(databases: Databases, door_keys: DoorKeys) -> DoorInbox:
    return DoorInbox(databases.door, door_keys)


@pytest.fixture
def deliveries(databases: Databases, keys: EnvelopeKeys) -> InboxDeliveries:
    return InboxDeliveries(databases.app, keys)


@pytest.fixture
async def relay(databases: Databases) -> RelayInbox:
    """Starts with nothing waiting: other tests leave rows behind."""
    for kind in InboxKind:
        await drain(RelayInbox(databases.relay, kind))
    return RelayInbox(databases.relay, InboxKind.HELPDESK)


async def drain(relay: RelayInbox) -> list[WaitingRow]:
    taken: list[WaitingRow] = []
    while True:
        async with relay.batch() as batch:
            await batch.mark_dispatched(batch.rows)
            taken += batch.rows
            if not batch.rows and not batch.more:
                return taken


async def rows_of(databases: Databases, tenant_id: UUID) -> int:
    query = select(func.count()).select_from(inbox).where(inbox.c.tenant_id == tenant_id)
    async with databases.app.transaction(tenant_id) as session:
        return int((await session.execute(query)).scalar_one())


async def accept_all(door: DoorInbox, arrivals: Sequence[Arrival]) -> list[Accepted]:
    return list(await asyncio.gather(*map(door.accept, arrivals)))


async def test_fifty_copies_at_once_make_one_row(
    door: DoorInbox, databases: Databases, ticket: TicketRef
) -> None:
    accepted = await accept_all(door, [arrival(ticket, "same") for _ in range(50)])

    assert len({each.delivery_id for each in accepted}) == 1
    assert sum(each.new for each in accepted) == 1
    assert await rows_of(databases, ticket.tenant_id) == 1


async def test_copy_of_a_consumed_delivery_stays_the_first_one(
    door: DoorInbox, deliveries: InboxDeliveries, ticket: TicketRef
) -> None:
    first = await door.accept(arrival(ticket, "same"))
    await deliveries.consume(ticket, [first.delivery_id])

    again = await door.accept(arrival(ticket, "same"))

    assert again == Accepted(first.delivery_id, new=False)
    assert await deliveries.unconsumed(ticket) == []


async def test_same_key_of_another_tenant_is_another_delivery(
    door: DoorInbox, registry: TenantRegistry, ticket: TicketRef
) -> None:
    neighbour = TicketRef(tenant_id=await a_tenant(registry), route=ticket.route)

    both = await accept_all(door, [arrival(ticket, "same"), arrival(neighbour, "same")])

    assert [each.new for each in both] == [True, True]


async def test_body_is_not_in_the_table(door: DoorInbox, databases: Databases, ticket: TicketRef) -> None:
    await door.accept(arrival(ticket, body=b"from Carla", external_id="visible-id"))

    async with databases.app.transaction(ticket.tenant_id) as session:
        [row] = (await session.execute(select(inbox).where(inbox.c.tenant_id == ticket.tenant_id))).all()
    assert "Carla" not in repr(row)
    assert "visible-id" not in repr(row)


async def test_worker_opens_what_the_door_sealed_oldest_first(
    door: DoorInbox, deliveries: InboxDeliveries, ticket: TicketRef
) -> None:
    accepted = [await door.accept(arrival(ticket, external_id=id_)) for id_ in ("1001", "1002")]

    found = await deliveries.unconsumed(ticket)

    assert [each.id for each in found] == [each.delivery_id for each in accepted]
    assert [each.external_ticket_id for each in found] == ["1001", "1002"]


async def test_consumed_delivery_cannot_be_opened_again(
    door: DoorInbox, deliveries: InboxDeliveries, keys: EnvelopeKeys, ticket: TicketRef
) -> None:
    accepted = await door.accept(arrival(ticket))

    for _ in range(2):
        await deliveries.consume(ticket, [accepted.delivery_id])

    assert await deliveries.unconsumed(ticket) == []
    with pytest.raises(KeyDestroyed):
        await keys.delivery_key(ticket.tenant_id, accepted.delivery_id)


async def test_row_whose_key_is_gone_does_not_hide_the_others(
    door: DoorInbox, deliveries: InboxDeliveries, keys: EnvelopeKeys, ticket: TicketRef
) -> None:
    gone, kept = [await door.accept(arrival(ticket)) for _ in range(2)]
    await keys.destroy_delivery_key(ticket.tenant_id, gone.delivery_id)

    found = await deliveries.unconsumed(ticket)

    assert [each.id for each in found] == [kept.delivery_id]


async def test_row_whose_key_is_gone_is_ended_by_the_next_look(
    door: DoorInbox,
    deliveries: InboxDeliveries,
    keys: EnvelopeKeys,
    databases: Databases,
    ticket: TicketRef,
) -> None:
    """Whoever consumed it died between the two databases; else it would wait for ever."""
    accepted = await door.accept(arrival(ticket))
    await keys.destroy_delivery_key(ticket.tenant_id, accepted.delivery_id)

    assert await deliveries.unconsumed(ticket) == []

    async with databases.app.transaction(ticket.tenant_id) as session:
        state = await session.scalar(select(inbox.c.state).where(inbox.c.id == accepted.delivery_id))
    assert state == InboxState.CONSUMED


async def test_delivery_without_a_ticket_waits_for_operators_not_for_a_relay(
    door: DoorInbox, relay: RelayInbox, databases: Databases, ticket: TicketRef
) -> None:
    accepted = await door.accept(arrival(ticket, route=None))

    assert await drain(relay) == []
    async with databases.app.transaction(ticket.tenant_id) as session:
        state = await session.scalar(select(inbox.c.state).where(inbox.c.id == accepted.delivery_id))
    assert state == InboxState.UNROUTABLE


async def test_quiet_tenant_is_in_the_first_batch(
    door: DoorInbox, relay: RelayInbox, registry: TenantRegistry, ticket: TicketRef
) -> None:
    quiet = TicketRef(tenant_id=await a_tenant(registry), route="b" * 32)
    await accept_all(door, [arrival(ticket) for _ in range(40)])
    waiting = await door.accept(arrival(quiet))

    async with relay.batch() as batch:
        taken = {row.id for row in batch.rows}

    assert waiting.delivery_id in taken
    assert len(taken) < 40


async def test_every_row_is_taken_once_by_two_relays(
    door: DoorInbox, relay: RelayInbox, databases: Databases, ticket: TicketRef
) -> None:
    accepted = await accept_all(door, [arrival(ticket) for _ in range(30)])
    another = RelayInbox(databases.relay, InboxKind.HELPDESK)

    async with relay.batch() as mine, another.batch() as theirs:
        assert not {row.id for row in mine.rows} & {row.id for row in theirs.rows}
        await mine.mark_dispatched(mine.rows)
        await theirs.mark_dispatched(theirs.rows)
        taken = [*mine.rows, *theirs.rows]
    taken += await drain(relay)

    assert sorted(row.id for row in taken) == sorted(each.delivery_id for each in accepted)


async def test_more_tenants_than_a_round_takes_are_all_reached(
    door: DoorInbox, relay: RelayInbox, registry: TenantRegistry
) -> None:
    tenants = [await a_tenant(registry) for _ in range(23)]
    await accept_all(door, [arrival(TicketRef(tenant_id=each, route="c" * 32)) for each in tenants])

    taken = await drain(relay)

    assert {row.tenant_id for row in taken} == set(tenants)


async def test_batch_that_fails_leaves_its_rows_waiting(
    door: DoorInbox, relay: RelayInbox, ticket: TicketRef
) -> None:
    accepted = await door.accept(arrival(ticket))

    async def crash() -> None:
        async with relay.batch() as batch:
            await batch.mark_dispatched(batch.rows)
            raise ValueError("in mid-batch")

    with pytest.raises(ValueError, match="in mid-batch"):
        await crash()

    assert [row.id for row in await drain(relay)] == [accepted.delivery_id]


async def test_delayed_row_waits_and_hides_no_other(
    door: DoorInbox, relay: RelayInbox, ticket: TicketRef
) -> None:
    delayed = await door.accept(arrival(ticket))
    async with relay.batch() as batch:
        await batch.delay(batch.rows[0], timedelta(hours=1))
    fresh = await door.accept(arrival(ticket))

    taken = await drain(relay)

    assert [row.id for row in taken] == [fresh.delivery_id]
    assert delayed.delivery_id != fresh.delivery_id


async def test_leased_click_is_taken_by_nobody_else(
    door: DoorInbox, relay: RelayInbox, databases: Databases, ticket: TicketRef
) -> None:
    accepted = await door.accept(arrival(ticket, kind=InboxKind.SLACK, source="slack", route=None))
    clicks = RelayInbox(databases.relay, InboxKind.SLACK)

    [leased] = await clicks.lease(timedelta(minutes=1))

    assert leased.id == accepted.delivery_id
    assert await clicks.lease(timedelta(minutes=1)) == []
    assert await drain(relay) == []


async def test_click_is_there_again_after_its_lease(
    door: DoorInbox, relay: RelayInbox, databases: Databases, ticket: TicketRef
) -> None:
    del relay
    await door.accept(arrival(ticket, kind=InboxKind.SLACK, source="slack", route=None))
    clicks = RelayInbox(databases.relay, InboxKind.SLACK)
    [leased] = await clicks.lease(timedelta(minutes=1))

    await clicks.postpone(leased, timedelta())

    [again] = await clicks.lease(timedelta(minutes=1))
    assert again.id == leased.id
    assert again.attempts > leased.attempts


async def test_renewed_lease_lasts_on_and_counts_as_no_attempt(
    door: DoorInbox, relay: RelayInbox, databases: Databases, ticket: TicketRef
) -> None:
    del relay
    await door.accept(arrival(ticket, kind=InboxKind.SLACK, source="slack", route=None))
    clicks = RelayInbox(databases.relay, InboxKind.SLACK)
    [leased] = await clicks.lease(timedelta())

    await clicks.renew(leased, timedelta(minutes=1))

    assert await clicks.lease(timedelta(minutes=1)) == []
    await clicks.renew(leased, timedelta())
    [again] = await clicks.lease(timedelta(minutes=1))
    assert again.attempts == leased.attempts + 1  # the first lease


async def test_commit_kicks_the_listener(
    door: DoorInbox, database_urls: DatabaseUrls, ticket: TicketRef
) -> None:
    kicked = asyncio.Event()
    listening = asyncio.create_task(InboxKicks(database_urls.relay).listen(kicked.set))
    async with asyncio.timeout(10):
        await kicked.wait()  # that it listens now
        kicked.clear()
        await door.accept(arrival(ticket))
        await kicked.wait()

    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
