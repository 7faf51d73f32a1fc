"""Every ticket of the demo ends as its file says, votes included, and nothing leaves twice."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from cli.demo_data import TENANTS, DemoTicket, Expectation, shop_of, tickets
from cli.demo_watch import Ending, Sent
from tests.end_to_end.system import Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(150)]

TICKETS = {ticket.name: ticket for ticket in tickets()}
REFUNDED = (Expectation.REFUNDED, Expectation.REFUNDED_AFTER_APPROVAL)


@dataclass(frozen=True)
class Played:
    """A ticket of the demo and what became of it."""

    sent: Sent
    ending: Ending


@pytest.fixture(scope="module")
async def played(system: System) -> Mapping[str, Played]:
    """All of them at once, as in the demo; then quiet."""
    sent = {name: await _send(system, ticket) for name, ticket in TICKETS.items()}
    for name, ticket in TICKETS.items():
        if ticket.vote:
            card = await system.card(sent[name])
            await system.click(ticket.vote.by, f"approval-{ticket.vote.kind}", card, ticket.vote.reason)
    ended = {name: Played(one, await system.rest(one)) for name, one in sent.items()}
    for one in sent.values():
        await system.quiet(one)
    return ended


async def _send(system: System, ticket: DemoTicket) -> Sent:
    by = Person(**shop_of(ticket.tenant).customer(ticket.writer).model_dump())
    return await system.write(
        ticket.tenant, by, ticket.subject, ticket.body, duplicate_delivery=ticket.duplicate_delivery
    )


@pytest.mark.parametrize("name", TICKETS)
async def test_ticket_ends_as_expected(played: Mapping[str, Played], name: str) -> None:
    ticket, ending = TICKETS[name], played[name].ending

    kind = Expectation.REFUNDED if ticket.expect in REFUNDED else ticket.expect
    assert (ending.kind, ending.because) == (kind, ticket.reason or "")


@pytest.mark.parametrize("name", TICKETS)
async def test_customer_hears_once_or_a_teammate_is_told_once(
    system: System, played: Mapping[str, Played], name: str
) -> None:
    sent = played[name].sent

    replies, notes = len(await system.replies(sent)), len(await system.notes(sent))

    assert (replies, notes) == ((0, 1) if TICKETS[name].reason else (1, 0))


@pytest.mark.parametrize("name", [name for name, ticket in TICKETS.items() if ticket.orders])
async def test_money_moves_once_or_not_at_all(
    system: System, played: Mapping[str, Played], name: str
) -> None:
    ticket = TICKETS[name]
    (number,) = ticket.orders
    state = await system.state(ticket.tenant)

    (order,) = [order for order in state["orders"] if order["number"] == number]
    refunds = [refund for refund in state["refunds"] if refund["payment_id"] == order["payment_id"]]

    whole = order["total"]["minor_units"] if ticket.expect in REFUNDED else 0
    assert [refund["amount"] for refund in refunds] == ([whole] if whole else [])
    assert order["refunded"]["minor_units"] == whole


@pytest.mark.parametrize("name", TICKETS)
async def test_our_own_echo_and_a_copy_of_a_delivery_start_nothing(
    system: System, played: Mapping[str, Played], name: str
) -> None:
    one = played[name]
    hooks = [
        w for w in (await system.state(one.sent.tenant))["webhooks"] if w["ticket_id"] == one.sent.number
    ]
    assert len(hooks) >= 2 + TICKETS[name].duplicate_delivery

    line = await system.line(one.sent)

    assert line is not None
    assert (line.turns, line.stage, line.outcome) == (1, one.ending.line.stage, one.ending.line.outcome)
    assert await system.effects(one.sent) == one.ending.effects


@pytest.mark.parametrize("name", [name for name, ticket in TICKETS.items() if ticket.vote])
async def test_an_approval_has_one_card_and_it_is_closed(
    system: System, played: Mapping[str, Played], name: str
) -> None:
    posts = [effect for effect in await system.effects(played[name].sent) if effect.type == "slack_post"]
    shown = {f"{m['channel']}:{m['ts']}": m for m in await system.slack(TICKETS[name].tenant)}

    cards = [shown[str(post.receipt)] for post in posts]

    closed = [card for card in cards if str(card["text"]).startswith(("Approved", "Rejected"))]
    assert len(closed) == 1
    assert not any(block["type"] == "actions" for card in cards for block in card["blocks"])


@pytest.mark.parametrize("tenant", TENANTS)
async def test_all_that_left_stands_in_the_ledger_exactly_once(
    system: System, played: Mapping[str, Played], tenant: str
) -> None:
    state = await system.state(tenant)
    messages = [m for ticket in state["tickets"] for m in ticket["messages"] if m["author"] == "automation"]
    cards = [
        m["metadata"]["event_payload"]["posted_by"] for m in state["slack"]["messages"] if m.get("metadata")
    ]
    seen = [m["reference"] for m in messages] + [r["reference"] for r in state["refunds"]] + cards

    ledger = await system.records.rows(
        "SELECT effects.id FROM countersign.effects JOIN countersign.tenants USING (tenant_id)"
        " WHERE effects.state = 'confirmed' AND tenants.name = %s"
        " AND type IN ('reply', 'private_note', 'refund', 'slack_post')",
        tenant,
    )

    assert Counter(seen) == Counter(id_ for (id_,) in ledger)
    assert seen
