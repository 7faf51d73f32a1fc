"""What operators may do with a delivery: list it, bring it forward, repeat it, end it."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from adapters.keys import DoorKeys, EnvelopeKeys
from adapters.postgres.deliveries import InboxDeliveries
from adapters.postgres.inbox import DoorInbox, InboxState
from adapters.postgres.inbox_lists import InboxLists, Wanted
from adapters.postgres.tables import audit_events, inbox
from domain.ticket import TicketRef
from tests.adapters.postgres.test_inbox import arrival
from tests.conftest import Databases


@pytest.fixture
def lists(databases: Databases, keys: EnvelopeKeys) -> InboxLists:
    return InboxLists(databases.app, keys)


@pytest.fixture
def door(databases: Databases, door_keys: DoorKeys) -> DoorInbox:
    return DoorInbox(databases.door, door_keys)


async def _events(databases: Databases, ticket: TicketRef) -> list[dict[str, str]]:
    query = select(audit_events.c.content).where(
        audit_events.c.tenant_id == ticket.tenant_id, audit_events.c.kind == "delivery_redelivered"
    )
    async with databases.owner.transaction(ticket.tenant_id) as session:
        return list((await session.execute(query)).scalars())


async def test_a_list_names_rows_of_one_state_and_age_only(
    lists: InboxLists, door: DoorInbox, ticket: TicketRef
) -> None:
    waits = await door.accept(arrival(ticket))
    lost = await door.accept(arrival(ticket, route=None, external_id=""))

    async def ids(wanted: Wanted) -> list[object]:
        return [line.id for line in await lists.rows(ticket.tenant_id, wanted)]

    assert await ids(Wanted()) == [waits.delivery_id, lost.delivery_id]
    assert await ids(Wanted(InboxState.UNROUTABLE)) == [lost.delivery_id]
    assert await ids(Wanted(older_than=timedelta(minutes=5))) == []
    assert await ids(Wanted(limit=1)) == [waits.delivery_id]


async def test_a_row_set_aside_is_relayed_now_and_its_attempts_are_forgotten(
    databases: Databases, lists: InboxLists, door: DoorInbox, ticket: TicketRef
) -> None:
    accepted = await door.accept(arrival(ticket))
    later = update(inbox).where(inbox.c.tenant_id == ticket.tenant_id)
    async with databases.app.transaction(ticket.tenant_id) as session:
        await session.execute(later.values(attempts=9, not_before=inbox.c.received_at + timedelta(days=1)))

    assert await lists.bring_forward(ticket.tenant_id, accepted.delivery_id)

    line = await lists.one(ticket.tenant_id, accepted.delivery_id)
    assert line is not None
    assert (line.state, line.attempts) == (InboxState.PENDING, 0)
    assert line.not_before < line.received_at + timedelta(hours=1)
    assert len(await _events(databases, ticket)) == 1


@pytest.mark.parametrize("state", [InboxState.DISPATCHED, InboxState.CONSUMED, InboxState.REFUSED])
async def test_a_row_that_is_not_pending_is_not_brought_forward(
    databases: Databases, lists: InboxLists, door: DoorInbox, ticket: TicketRef, state: InboxState
) -> None:
    accepted = await door.accept(arrival(ticket))
    async with databases.app.transaction(ticket.tenant_id) as session:
        await session.execute(update(inbox).where(inbox.c.id == accepted.delivery_id).values(state=state))

    assert not await lists.bring_forward(ticket.tenant_id, accepted.delivery_id)
    assert await _events(databases, ticket) == []


async def test_everybody_who_repeats_a_delivery_at_once_makes_one_row(
    databases: Databases, lists: InboxLists, door: DoorInbox, ticket: TicketRef
) -> None:
    first = await door.accept(arrival(ticket))
    await InboxDeliveries(databases.app, lists._keys).consume(ticket, [first.delivery_id])
    line = await lists.one(ticket.tenant_id, first.delivery_id)
    assert line is not None

    async def repeated() -> object:
        key = await lists.next_repeat(line, ticket.tenant_id)
        return await door.accept(arrival(ticket, key, redelivers=first.delivery_id))

    made = await asyncio.gather(*(repeated() for _ in range(5)))

    assert len({each.delivery_id for each in made}) == 1  # type: ignore[attr-defined]
    assert len(await _events(databases, ticket)) == 1
    assert await lists.opened(ticket.tenant_id, first.delivery_id) is None


async def test_a_lost_delivery_is_ended_once_and_its_key_with_it(
    lists: InboxLists, door: DoorInbox, ticket: TicketRef
) -> None:
    lost = await door.accept(arrival(ticket, route=None, external_id=""))
    routed = await door.accept(arrival(ticket))
    assert await lists.opened(ticket.tenant_id, lost.delivery_id) is not None

    ended = [
        await lists.end_unroutable(ticket.tenant_id, each, InboxState.REFUSED)
        for each in (lost.delivery_id, lost.delivery_id, routed.delivery_id, uuid4())
    ]

    assert ended == [True, False, False, False]
    assert await lists.opened(ticket.tenant_id, lost.delivery_id) is None
