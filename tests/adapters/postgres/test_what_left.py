"""Sums over windows of the ledger, by the database."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from adapters.postgres.tenant_registry import TenantRegistry
from adapters.postgres.what_left import PostgresWhatLeft
from domain.action import ProposedAction, Refund, SetStatus
from domain.counting import Counter, Own, Per, Window
from domain.decision import CounterInput
from domain.effect import EffectIntent, EffectState, key_of
from domain.fact import Money
from domain.ticket import TicketRef, TicketStatus
from tests.adapters.postgres.story import Story
from tests.conftest import a_tenant

CUSTOMER, ANOTHER = "customer_" + "c" * 24, "customer_" + "d" * 24
ORDER, PAYMENT = "order_" + "1" * 24, "payment_" + "2" * 24
DAY_S = 86400
NOTHING = CounterInput(count=0)


def a_refund(minor_units: int = 1000, currency: str = "EUR", order: str = ORDER) -> ProposedAction:
    amount = Money(minor_units=minor_units, currency=currency)
    return ProposedAction(
        ordinal=0, action=Refund(order=order, payment=PAYMENT, amount=amount, playbook="any")
    )


async def claimed(
    story: Story, proposed: ProposedAction, customer: str | None = CUSTOMER, **changes: Any
) -> EffectIntent:
    """An effect of another message of the ticket, claimed."""
    decision = await story.decided(proposed=proposed)
    ticket = changes.pop("ticket", story.ticket)
    intent = EffectIntent(
        key=key_of(ticket.ticket_id, f"msg_{uuid4().hex}", proposed),
        ticket=ticket,
        proposed=proposed,
        decision_id=decision.decision_id,
        owner_epoch=0,
        turn=0,
        customer=customer,
    )
    await story.tickets.open(ticket, "1001", "generic")
    await story.ledger.intend(intent)
    assert (await story.claim(intent)).state is EffectState.CLAIMED
    return intent


def window(per: Per, subject: object, within_s: int = DAY_S, action: str = "refund") -> Window:
    return Window(Counter(action, per, within_s), str(subject))


async def counted(story: Story, asked: Window, own: Own | None = None) -> CounterInput:
    what_left = PostgresWhatLeft(story.databases.app)
    return (await what_left.counted(story.ticket.tenant_id, [asked], own or Own(uuid4())))[asked]


async def test_every_window_is_summed_in_one_question(story: Story) -> None:
    await claimed(story, a_refund(1000))
    await claimed(story, a_refund(250))
    await claimed(story, a_refund(300, "USD"))
    await claimed(story, a_refund(400, order="order_" + "9" * 24), customer=ANOTHER)
    windows = [
        window(Per.TENANT, story.ticket.tenant_id),
        window(Per.TICKET, story.ticket.ticket_id),
        window(Per.CUSTOMER, CUSTOMER),
        window(Per.ORDER, ORDER),
    ]

    sums = await PostgresWhatLeft(story.databases.app).counted(story.ticket.tenant_id, windows, Own(uuid4()))

    assert [sums[asked].amounts for asked in windows] == [
        {"EUR": 1650, "USD": 300},
        {"EUR": 1650, "USD": 300},
        {"EUR": 1250, "USD": 300},
        {"EUR": 1250, "USD": 300},
    ]
    assert [sums[asked].count for asked in windows] == [4, 4, 3, 3]


async def test_what_is_only_intended_has_not_left(story: Story) -> None:
    await story.allowed()

    assert await counted(story, window(Per.TENANT, story.ticket.tenant_id)) == NOTHING


@pytest.mark.parametrize(
    ("state", "count"),
    [
        (EffectState.SENT, 1),
        (EffectState.UNKNOWN, 1),
        (EffectState.FAILED, 0),
        (EffectState.WITHDRAWN, 0),
    ],
)
async def test_what_may_have_left_counts_and_what_has_not_does_not(
    story: Story, state: EffectState, count: int
) -> None:
    intent = await claimed(story, a_refund())
    await story.ledger.record(intent, state)

    assert (await counted(story, window(Per.CUSTOMER, CUSTOMER))).count == count


async def test_the_effect_itself_is_left_out(story: Story) -> None:
    intent = await claimed(story, a_refund())
    ticket = story.ticket.ticket_id

    assert await counted(story, window(Per.CUSTOMER, CUSTOMER), Own(ticket, key=intent.key)) == NOTHING
    assert await counted(story, window(Per.CUSTOMER, CUSTOMER), Own(ticket, (intent.digest,))) == NOTHING


async def test_the_same_refund_of_another_ticket_counts(story: Story) -> None:
    intent = await claimed(story, a_refund())

    assert (await counted(story, window(Per.CUSTOMER, CUSTOMER), Own(uuid4(), (intent.digest,)))).count == 1


async def test_another_action_is_another_window(story: Story) -> None:
    await claimed(story, ProposedAction(ordinal=3, action=SetStatus(status=TicketStatus.SOLVED)))

    assert await counted(story, window(Per.CUSTOMER, CUSTOMER)) == NOTHING
    assert (await counted(story, window(Per.CUSTOMER, CUSTOMER, action="set_status"))).count == 1


async def test_the_window_ends(story: Story) -> None:
    intent = await claimed(story, a_refund())
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        await session.execute(
            text("update countersign.effects set claimed_at = claimed_at - :age where id = :id"),
            {"age": timedelta(days=2), "id": intent.key},
        )

    assert await counted(story, window(Per.CUSTOMER, CUSTOMER)) == NOTHING
    assert (await counted(story, window(Per.CUSTOMER, CUSTOMER, within_s=3 * DAY_S))).count == 1


async def test_a_customer_counts_over_tickets_and_not_over_tenants(
    story: Story, registry: TenantRegistry
) -> None:
    another_ticket = TicketRef(tenant_id=story.ticket.tenant_id, route=uuid4().hex)
    elsewhere = Story(
        story.databases,
        registry,
        story.keys,
        TicketRef(tenant_id=await a_tenant(registry), route=uuid4().hex),
    )
    await claimed(story, a_refund())
    await claimed(Story(story.databases, registry, story.keys, another_ticket), a_refund())
    await claimed(elsewhere, a_refund())

    assert (await counted(story, window(Per.CUSTOMER, CUSTOMER))).count == 2


async def test_the_amount_of_an_effect_is_what_was_proposed(story: Story) -> None:
    intent = await claimed(story, a_refund(1234))
    columns = text("select customer, order_id, minor_units, currency from countersign.effects where id = :id")

    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        kept = (await session.execute(columns, {"id": intent.key})).one()

    assert tuple(kept) == (CUSTOMER, ORDER, 1234, "EUR")
