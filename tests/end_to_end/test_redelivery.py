"""A delivery brought back wakes its ticket, and nobody is told anything twice."""

import asyncio
from uuid import uuid4

import pytest

from adapters.postgres.inbox import Arrival, InboxKind, InboxState
from adapters.postgres.inbox_lists import DeliveryLine, Wanted
from cli.demo_watch import Sent
from tests.end_to_end.polling import eventually
from tests.end_to_end.system import BOOKS, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]

IDA = Person("Ida Moreau", "ida.moreau@example.com")


async def _deliveries(system: System, sent: Sent) -> list[DeliveryLine]:
    ticket = sent.ticket
    return list(await system.connected.inbox.rows(ticket.tenant_id, Wanted(route=ticket.route)))


async def test_a_consumed_delivery_wakes_its_ticket_and_sends_nothing_again(system: System) -> None:
    sent = await system.write(BOOKS, IDA, "Gift", "Do you offer gift wrapping for books?")
    await system.rest(sent)
    await system.quiet(sent)
    [first, *_] = await _deliveries(system, sent)
    before = await system.effects(sent)

    said = await asyncio.gather(
        *(system.process("inbox", "redeliver", BOOKS, str(first.id)) for _ in range(2))
    )

    assert [each.code for each in said] == [0, 0], said
    await system.quiet(sent)
    after = await _deliveries(system, sent)
    assert all(row.state is InboxState.CONSUMED for row in after)
    assert len(after) > 1
    assert await system.effects(sent) == before
    assert len(await system.replies(sent)) == 1


async def test_a_message_that_no_delivery_announced_is_answered_after_a_redelivery(system: System) -> None:
    sent = await system.write(BOOKS, IDA, "Gift", "Do you offer gift wrapping for books?")
    await system.rest(sent)
    await system.quiet(sent)
    again = {"body": "And how do I return a book?", "author": "customer", "send_webhook": False}
    await system.emulators.ask("POST", f"/tickets/{BOOKS}/{sent.number}/messages", again)
    [first, *_] = await _deliveries(system, sent)

    said = await system.command("inbox", "redeliver", BOOKS, str(first.id))

    assert "reads the helpdesk anew" in said.out
    await system.turns(sent, 2)
    await system.quiet(sent)
    assert len(await system.replies(sent)) == 2


async def test_a_delivery_that_names_no_ticket_is_listed_and_dismissed(system: System) -> None:
    tenant_id = await system.connected.tenant(BOOKS)
    lost = Arrival(
        tenant_id=tenant_id,
        kind=InboxKind.HELPDESK,
        source="generic",
        delivery_key=uuid4().hex,
        body=b'{"type": "canary"}',
    )
    delivery = str((await system.connected.door.accept(lost)).delivery_id)

    listed = await system.command("inbox", "list", BOOKS, "--state", "unroutable")
    tried = await system.command("inbox", "redeliver", BOOKS, delivery)
    ended = await system.command("inbox", "dismiss", BOOKS, delivery)
    twice = await system.command("inbox", "dismiss", BOOKS, delivery)

    assert delivery in listed.out
    assert "canary" not in listed.out
    assert (tried.code, "still names no ticket" in tried.errors) == (1, True)
    assert (ended.code, twice.code) == (0, 1)


async def test_a_delivery_whose_ticket_is_named_by_now_is_routed(system: System) -> None:
    sent = await system.write(BOOKS, IDA, "Gift", "Do you gift wrap?", send_webhook=False)
    lost = Arrival(
        tenant_id=sent.ticket.tenant_id,
        kind=InboxKind.HELPDESK,
        source="generic",
        delivery_key=uuid4().hex,
        body=f'{{"type": "ticket.message_created", "ticket_id": "{sent.number}"}}'.encode(),
    )
    delivery = (await system.connected.door.accept(lost)).delivery_id

    said = await system.command("inbox", "redeliver", BOOKS, str(delivery))

    assert said.code == 0, said.errors
    await system.rest(sent)
    ended = await system.connected.inbox.one(sent.ticket.tenant_id, delivery)
    assert ended is not None
    assert ended.state is InboxState.CONSUMED


async def test_a_redelivery_is_an_audit_event(system: System) -> None:
    sent = await system.write(BOOKS, IDA, "Gift", "Do you offer gift wrapping for books?")
    await system.rest(sent)
    await system.quiet(sent)
    [first, *_] = await _deliveries(system, sent)

    await system.command("inbox", "redeliver", BOOKS, str(first.id))

    async def told() -> object:
        return await system.records.rows(
            "select content from countersign.audit_events where kind = 'delivery_redelivered'"
            " and content ->> 'delivery' = %s",
            str(first.id),
        )

    assert await eventually(told, "the audit event")
