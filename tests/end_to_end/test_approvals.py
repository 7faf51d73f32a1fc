"""What clicks on a card do and do not do, as customer, clicker and teammate see it."""

import hashlib
import hmac
import json
from time import time
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest

from cli.demo_watch import Sent
from tests.end_to_end.system import APPROVE, BOOKS, CHANNELS, REJECT, Json, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]

APPROVER, OTHER_APPROVER, OUTSIDER = "U0MARTA", "U0JONAS", "U0INES"
ONE_CENT_ABOVE, LIMIT = 50_01, 50_00


async def _asks_for_money(system: System, name: str, minor_units: int = 120_00) -> tuple[Sent, str]:
    by = Person(name, name.lower().replace(" ", ".") + "@example.com")
    order = await system.sell(BOOKS, by, minor_units)
    words = f"The book of my order {order} arrived damaged, the cover is torn. Please refund it."
    return await system.write(BOOKS, by, "Damaged book", words), order


async def test_no_vote_of_somebody_without_the_right(system: System) -> None:
    sent, order = await _asks_for_money(system, "Mona Rieger")
    card = await system.card(sent)

    await system.click(OUTSIDER, APPROVE, card)

    await system.told(OUTSIDER, "Policy does not let you decide this", sent)
    assert await system.refunds(BOOKS, order) == []
    assert await system.card(sent) == card  # it still waits

    await system.click(APPROVER, APPROVE, card)
    assert (await system.rest(sent)).kind == "refunded"
    assert len(await system.refunds(BOOKS, order)) == 1


async def test_second_click_of_a_card_moves_no_more_money(system: System) -> None:
    sent, order = await _asks_for_money(system, "Tilda Krone")
    card = await system.card(sent)
    value, ts = await _button(system, card)
    await system.click(APPROVER, APPROVE, card)
    await system.rest(sent)

    status = await _post_click(system, OTHER_APPROVER, value, ts)

    assert status == 200
    await system.told(OTHER_APPROVER, "This question is no longer open", sent)
    assert len(await system.refunds(BOOKS, order)) == 1
    assert len(await system.replies(sent)) == 1


@pytest.mark.parametrize("changed", [{"r": 2}, {"d": f"sha256:{0:064}"}], ids=["revision", "digest"])
async def test_yes_to_something_else_than_was_asked_counts_nothing(
    system: System, changed: dict[str, Any]
) -> None:
    sent, order = await _asks_for_money(system, f"Emil {'Rand' if 'r' in changed else 'Dorn'}")
    card = await system.card(sent)
    value, ts = await _button(system, card)

    await _post_click(system, APPROVER, {**value, **changed}, ts)

    await system.told(APPROVER, "The card has changed since you saw it", sent)
    assert await system.refunds(BOOKS, order) == []
    await system.click(APPROVER, APPROVE, card)
    assert (await system.rest(sent)).kind == "refunded"


async def test_no_needs_a_reason_and_the_reason_reaches_the_teammate(system: System) -> None:
    sent, order = await _asks_for_money(system, "Nora Falk")
    card = await system.card(sent)

    await system.click(APPROVER, REJECT, card)
    await system.told(APPROVER, "To reject, write a reason into the field first", sent)
    assert await system.card(sent) == card
    await system.click(APPROVER, REJECT, card, reason="A replacement is on its way since Monday")
    ending = await system.rest(sent)

    assert (ending.kind, ending.because) == ("handed_over", "approval_rejected")
    (note,) = await system.notes(sent)
    assert "A replacement is on its way since Monday" in note
    assert (await system.replies(sent), await system.refunds(BOOKS, order)) == ([], [])


async def test_a_click_that_is_not_slacks_is_turned_away(system: System) -> None:
    sent, order = await _asks_for_money(system, "Jette Blum")
    card = await system.card(sent)
    value, ts = await _button(system, card)

    assert await _post_click(system, APPROVER, value, ts, secret="guessed") in {401, 403}

    await system.click(APPROVER, REJECT, card, reason="Was only a trial")
    assert (await system.rest(sent)).kind == "handed_over"
    assert await system.refunds(BOOKS, order) == []


async def test_limit_is_exact_to_the_cent(system: System) -> None:
    at_limit, _ = await _asks_for_money(system, "Otto Lind", LIMIT)
    above, order = await _asks_for_money(system, "Ruth Lind", ONE_CENT_ABOVE)

    assert (await system.rest(at_limit)).kind == "refunded"
    card = await system.card(above)
    assert await system.refunds(BOOKS, order) == []

    await system.click(APPROVER, APPROVE, card)
    await system.rest(above)


async def _button(system: System, card: str) -> tuple[Json, str]:
    """What the card's button carries, and on which message."""
    for message in await system.slack(BOOKS):
        for block in message["blocks"]:
            for element in block.get("elements", ()) if block["type"] == "actions" else ():
                if card in element["value"]:
                    return json.loads(element["value"]), message["ts"]
    raise AssertionError(f"No button of {card}")


async def _post_click(system: System, user: str, value: Json, ts: str, secret: str | None = None) -> int:
    """A click that the page no longer offers, signed as Slack signs."""
    payload = {
        "type": "block_actions",
        "team": {"id": "T0HARBOUR", "domain": "harbour-books"},
        "user": {"id": user, "username": user, "name": user, "team_id": "T0HARBOUR"},
        "api_app_id": "A0EMULATED",
        "token": "unused",
        "trigger_id": uuid4().hex,
        "container": {"type": "message", "message_ts": ts, "channel_id": CHANNELS[BOOKS]},
        "channel": {"id": CHANNELS[BOOKS], "name": "book-desk"},
        "actions": [
            {
                "type": "button",
                "block_id": "approval",
                "action_id": APPROVE,
                "action_ts": f"{time():.6f}",
                "value": json.dumps(value),
            }
        ],
        "state": {"values": {}},
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    at = str(int(time()))
    key = (secret or system.stack.secrets.slack_signing_secret).encode()
    signed = hmac.new(key, b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": at,
        "x-slack-signature": f"v0={signed}",
    }
    async with httpx.AsyncClient(trust_env=False) as slack:
        answer = await slack.post(f"{system.stack.api_url}/slack/events", content=body, headers=headers)
    return answer.status_code
