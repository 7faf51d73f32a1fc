"""Every ticket of the demo goes as its file says, votes and teammates included, and nothing leaves twice."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from cli.demo_account import is_expected_end, is_expected_to_leave, left
from cli.demo_data import TENANTS, Expectation, tickets
from cli.demo_story import Story, Theatre, send
from cli.demo_watch import Ending, Lookout, Sent
from domain.handoff import HandoffReason
from tests.end_to_end.system import Json, System

# One ticket waits for more than a minute for an answer that nobody gives.
pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]

TICKETS = {ticket.name: ticket for ticket in tickets()}
ASKED = [name for name, ticket in TICKETS.items() if ticket.is_asked_about]
# A take-over ends a turn, and so does thanks.
TURNS = {name: 1 + len(ticket.then) + bool(ticket.take_over_by) for name, ticket in TICKETS.items()}


@dataclass(frozen=True)
class Played:
    """A ticket of the demo and what became of it."""

    story: Story
    ending: Ending

    @property
    def sent(self) -> Sent:
        return self.story.sent


@pytest.fixture(scope="module")
async def played(system: System) -> Mapping[str, Played]:
    """All of them at once, as in the demo; then quiet."""
    lookout = Lookout(system.connected, [await system.connected.tenant(name) for name in TENANTS])
    client = await system.connected.temporal()
    theatre = Theatre(system.connected, client, system.emulators, lookout, lambda _sent, _what: None)
    stories: dict[str, Story] = {}
    for name, ticket in TICKETS.items():
        stories[name] = await send(theatre, ticket, stories)
    endings = await asyncio.gather(*[story.play() for story in stories.values()])
    for story in stories.values():
        await system.quiet(story.sent)
    return {
        story.ticket.name: Played(story, end)
        for story, end in zip(stories.values(), endings, strict=True)
        if end
    }


@pytest.mark.parametrize("name", TICKETS)
async def test_ticket_ends_as_expected(played: Mapping[str, Played], name: str) -> None:
    assert is_expected_end(played[name].ending, TICKETS[name]), played[name].ending


@pytest.mark.parametrize("name", TICKETS)
async def test_customer_hears_as_often_as_expected_and_teammates_are_told_once(
    system: System, played: Mapping[str, Played], name: str
) -> None:
    ticket, sent = TICKETS[name], played[name].sent

    replies, notes = len(await system.replies(sent)), len(await system.notes(sent))

    told = ticket.expect is Expectation.HANDED_OVER or ticket.take_over_by is not None
    assert (replies, notes) == (ticket.answers, int(told))


@pytest.mark.parametrize("name", TICKETS)
async def test_customer_without_a_promise_is_not_acknowledged(
    system: System, played: Mapping[str, Played], name: str
) -> None:
    gone = await left(system.emulators, played[name].story)

    assert gone.acknowledgements == 0
    # With the promise, whoever is handed over is told so.
    assert is_expected_to_leave(gone, TICKETS[name]) == (TICKETS[name].expect != Expectation.HANDED_OVER)


@pytest.mark.parametrize("name", [name for name, ticket in TICKETS.items() if ticket.orders])
async def test_money_moves_once_or_not_at_all(
    system: System, played: Mapping[str, Played], name: str
) -> None:
    ticket = TICKETS[name]
    (number,) = ticket.orders
    state = await system.state(ticket.tenant)

    (order,) = [order for order in state["orders"] if order["number"] == number]
    refunds = [refund for refund in state["refunds"] if refund["payment_id"] == order["payment_id"]]

    whole = order["total"]["minor_units"] if ticket.is_refunded else 0
    assert [refund["amount"] for refund in refunds] == ([whole] if whole else [])
    assert order["refunded"]["minor_units"] == whole


@pytest.mark.parametrize("name", TICKETS)
async def test_our_own_echo_and_a_copy_of_a_delivery_start_nothing(
    system: System, played: Mapping[str, Played], name: str
) -> None:
    one, ticket = played[name], TICKETS[name]
    state = await system.state(one.sent.tenant)
    hooks = [w for w in state["webhooks"] if w["ticket_id"] == one.sent.number]
    echoes = len(await system.replies(one.sent)) + len(await system.notes(one.sent))
    assert len(hooks) >= 1 + echoes + ticket.duplicate_delivery

    line = await system.line(one.sent)

    assert line is not None
    turns = 0 if ticket.expect is Expectation.NOT_ANSWERED else TURNS[name]
    assert (line.turns, line.stage, line.outcome) == (turns, one.ending.line.stage, one.ending.line.outcome)
    assert await system.effects(one.sent) == one.ending.effects


@pytest.mark.parametrize("name", ASKED)
async def test_an_approval_has_one_card_and_it_is_closed(
    system: System, played: Mapping[str, Played], name: str
) -> None:
    cards = await _posted(system, played[name].sent)

    closed = [card for card in cards if str(card["text"]).startswith(("Approved", "Rejected", "Expired"))]
    assert len(closed) == 1
    assert not any(block["type"] == "actions" for card in cards for block in card["blocks"])


async def test_question_that_nobody_answers_is_brought_up_in_its_thread_before_it_expires(
    system: System, played: Mapping[str, Played]
) -> None:
    (name,) = [name for name in ASKED if TICKETS[name].reason is HandoffReason.APPROVAL_EXPIRED]
    shown = await _posted(system, played[name].sent)

    (card,) = [message for message in shown if str(message["text"]).startswith("Expired")]
    reminders = [m for m in shown if m.get("thread_ts") == card["ts"] and "wait" in m["text"].casefold()]

    assert len(reminders) == 1


async def test_deliveries_out_of_order_and_late_copies_were_sent(
    system: System, played: Mapping[str, Played]
) -> None:
    one = played["out_of_order"]
    state = await system.state(one.sent.tenant)
    hooks = [w for w in state["webhooks"] if w["ticket_id"] == one.sent.number]

    # The second message, the first one, our own answer, the second message again.
    assert len(hooks) >= 4
    assert hooks[0]["webhook_id"] == hooks[-1]["webhook_id"]
    assert len({hook["webhook_id"] for hook in hooks}) == len(hooks) - 1


async def test_where_a_teammate_was_faster_theirs_is_the_only_word(
    system: System, played: Mapping[str, Played]
) -> None:
    one = played["teammate_was_faster"]
    found = await _conversation(system, one.sent)

    assert [(m["author"], m["public"]) for m in found["messages"]] == [("customer", True), ("teammate", True)]
    assert one.ending.effects == []


@pytest.mark.parametrize("name", ["merged", "out_of_office"])
async def test_merged_tickets_and_mail_of_machines_are_left_as_they_are(
    system: System, played: Mapping[str, Played], name: str
) -> None:
    one = played[name]
    found = await _conversation(system, one.sent)

    assert [m["author"] for m in found["messages"]] == ["customer"]
    assert (found["status"], found["tags"]) == ("open", [])
    assert one.ending.effects == []


async def test_take_over_withdraws_the_first_card_and_the_second_one_is_approved(
    system: System, played: Mapping[str, Played]
) -> None:
    shown = await _posted(system, played["taken_over"].sent)

    cards = [m for m in shown if m.get("thread_ts") in {None, m["ts"]}]

    assert len(cards) == 2
    assert not str(cards[0]["text"]).startswith("Approved")
    assert str(cards[1]["text"]).startswith("Approved")


async def _posted(system: System, sent: Sent) -> list[Json]:
    """What stands in Slack about the ticket now."""
    posts = [e.receipt for e in await system.effects(sent) if e.type == "slack_post" and e.receipt]
    shown = {f"{m['channel']}:{m['ts']}": m for m in await system.slack(sent.tenant)}
    return [shown[post] for post in posts]


async def _conversation(system: System, sent: Sent) -> Json:
    (found,) = [t for t in (await system.state(sent.tenant))["tickets"] if t["id"] == sent.number]
    return dict(found)


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


@pytest.mark.parametrize("tenant", TENANTS)
async def test_all_that_left_was_let_out_by_exactly_one_decision(
    system: System, played: Mapping[str, Played], tenant: str
) -> None:
    """Of the newest policy, about this very effect, with its complete input and who could say so."""
    assert played
    let_out = await system.records.rows(
        "SELECT e.id, count(d.id), bool_and(d.verdict IN ('allow', 'sanitize', 'approval_needed')"
        "   AND d.action_digest = e.digest AND d.ticket_id = e.ticket_id AND d.rules_considered > 0"
        "   AND d.input -> 'action' ->> 'digest' = e.digest AND d.input ? 'at' AND v.id IS NOT NULL)"
        " FROM countersign.effects e JOIN countersign.tenants t USING (tenant_id)"
        " LEFT JOIN countersign.decisions d ON d.tenant_id = e.tenant_id AND d.id = e.let_out_by"
        "   AND d.effect_id = e.id"
        " LEFT JOIN countersign.policy_compositions v"
        "   ON v.tenant_id = e.tenant_id AND v.id = d.policy_version"
        " WHERE e.claimed_at IS NOT NULL AND t.name = %s GROUP BY e.id",
        tenant,
    )

    assert let_out
    assert [effect for effect in let_out if effect[1:] != (1, True)] == []
