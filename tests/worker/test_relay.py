"""The relay over the real inbox, with a Temporal that comes and goes: nothing lost, nobody starved."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from adapters.keys import DoorKeys
from adapters.postgres.inbox import Arrival, DoorInbox, InboxKind, InboxState
from adapters.postgres.relay_inbox import RelayInbox
from adapters.postgres.tables import inbox
from adapters.postgres.tenant_registry import TenantRegistry
from domain.ticket import TicketRef
from tests.conftest import Databases, a_tenant
from worker.relay import Relay, TemporalAway


class RecordingWaker:
    """Wakes tickets in a list. `away` and `poison` say when it does not."""

    def __init__(self) -> None:
        self.woken: list[tuple[TicketRef, UUID]] = []
        self.away_after: int | None = None
        self.poison: frozenset[UUID] = frozenset()

    async def wake(self, ticket: TicketRef, delivery_id: UUID) -> None:
        if delivery_id in self.poison:
            raise ValueError("no one can encode this")
        if self.away_after is not None and len(self.woken) >= self.away_after:
            raise TemporalAway
        self.woken.append((ticket, delivery_id))

    @property
    def deliveries(self) -> list[UUID]:
        """In the order they were woken for."""
        return [delivery_id for _, delivery_id in self.woken]


@pytest.fixture(autouse=True)
async def nothing_left_waiting(databases: Databases, tenant_id: UUID) -> AsyncIterator[None]:
    """Delayed rows would come due in the middle of another test."""
    yield
    ending = update(inbox).where(inbox.c.tenant_id == tenant_id, inbox.c.state == InboxState.PENDING)
    async with databases.app.transaction(tenant_id) as session:
        await session.execute(ending.values(state=InboxState.CONSUMED))


@pytest.fixture
def waker() -> RecordingWaker:
    return RecordingWaker()


@pytest.fixture
async def relay(databases: Databases, waker: RecordingWaker) -> Relay:
    """With nothing waiting: other tests leave rows behind."""
    relay = Relay(RelayInbox(databases.relay, InboxKind.HELPDESK), waker)
    await relayed(relay)
    waker.woken.clear()
    return relay


async def relayed(relay: Relay) -> None:
    """Rounds until nothing waits."""
    while await relay.round():
        pass


@pytest.fixture
def door(databases: Databases, door_keys: DoorKeys) -> DoorInbox:
    return DoorInbox(databases.door, door_keys)


async def arrive(door: DoorInbox, tenant_id: UUID, count: int) -> list[UUID]:
    arrivals = [
        Arrival(
            tenant_id=tenant_id,
            kind=InboxKind.HELPDESK,
            source="generic",
            delivery_key=uuid4().hex,
            body=b"{}",
            external_id="1001",
            route=uuid4().hex,
        )
        for _ in range(count)
    ]
    return [each.delivery_id for each in await asyncio.gather(*map(door.accept, arrivals))]


async def test_every_delivery_wakes_its_ticket_once(
    door: DoorInbox, relay: Relay, waker: RecordingWaker, tenant_id: UUID
) -> None:
    arrived = await arrive(door, tenant_id, 12)

    await relayed(relay)
    await relayed(relay)

    assert sorted(waker.deliveries) == sorted(arrived)
    assert {ticket.tenant_id for ticket, _ in waker.woken} == {tenant_id}


async def test_quiet_tenant_does_not_wait_for_a_busy_one(
    door: DoorInbox, relay: Relay, waker: RecordingWaker, registry: TenantRegistry, tenant_id: UUID
) -> None:
    await arrive(door, tenant_id, 60)
    [quiet] = await arrive(door, await a_tenant(registry), 1)

    await relay.round()

    assert waker.deliveries.index(quiet) < 2


async def test_nothing_is_lost_while_temporal_is_away(
    door: DoorInbox, relay: Relay, waker: RecordingWaker, tenant_id: UUID
) -> None:
    arrived = await arrive(door, tenant_id, 5)
    waker.away_after = 2

    with pytest.raises(TemporalAway):
        await relay.round()

    assert len(waker.woken) == 2
    waker.away_after = None
    await relayed(relay)
    assert sorted(waker.deliveries) == sorted(arrived)


async def test_outage_is_found_out_once_not_row_by_row(
    door: DoorInbox, databases: Databases, relay: Relay, tenant_id: UUID
) -> None:
    del relay
    await arrive(door, tenant_id, 5)
    calls: list[tuple[TicketRef, UUID]] = []

    class Away(RecordingWaker):
        async def wake(self, ticket: TicketRef, delivery_id: UUID) -> None:
            calls.append((ticket, delivery_id))
            raise TemporalAway

    with pytest.raises(TemporalAway):
        await Relay(RelayInbox(databases.relay, InboxKind.HELPDESK), Away()).round()

    assert len(calls) == 1


async def test_poisoned_row_waits_and_stops_no_other(
    door: DoorInbox, relay: Relay, waker: RecordingWaker, tenant_id: UUID
) -> None:
    poisoned, *others = await arrive(door, tenant_id, 4)
    waker.poison = frozenset({poisoned})

    await relayed(relay)

    assert sorted(waker.deliveries) == sorted(others)


async def test_crash_before_the_mark_wakes_again(
    door: DoorInbox, databases: Databases, relay: Relay, waker: RecordingWaker, tenant_id: UUID
) -> None:
    [arrived] = await arrive(door, tenant_id, 1)

    class Dying(RecordingWaker):
        async def wake(self, ticket: TicketRef, delivery_id: UUID) -> None:
            await super().wake(ticket, delivery_id)
            raise asyncio.CancelledError

    dying = Dying()
    with pytest.raises(asyncio.CancelledError):
        await Relay(RelayInbox(databases.relay, InboxKind.HELPDESK), dying).round()

    await relayed(relay)

    assert dying.deliveries == waker.deliveries == [arrived]
