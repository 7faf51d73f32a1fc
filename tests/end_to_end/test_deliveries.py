"""Copies of one webhook are one ticket and one reply, however many arrive at once."""

import asyncio
import json
from time import time

import httpx
import pytest

from adapters.helpdesks.standard_webhooks import signature
from tests.end_to_end.system import BOOKS, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]

COPIES = 50
LARS = Person("Lars Oster", "lars.oster@example.com")


def _signed(secret: str, ticket_id: str) -> tuple[bytes, dict[str, str]]:
    body = json.dumps({"type": "ticket.message_created", "ticket_id": ticket_id}).encode()
    at = str(int(time()))
    headers = {
        "content-type": "application/json",
        "webhook-id": f"msg_of_{ticket_id}",
        "webhook-timestamp": at,
        "webhook-signature": signature(secret, f"msg_of_{ticket_id}", at, body).decode(),
    }
    return body, headers


async def test_fifty_copies_at_once_are_one_ticket_and_one_reply(system: System) -> None:
    subject, text = "Can I send a book back?", "How do I return a book, and how long do I have?"
    sent = await system.write(BOOKS, LARS, subject, text, send_webhook=False)
    url, secret = system.hook(BOOKS)
    body, headers = _signed(secret, sent.number)

    async with httpx.AsyncClient(trust_env=False, timeout=30) as helpdesk:
        posts = (helpdesk.post(url, content=body, headers=headers) for _ in range(COPIES))
        answers = await asyncio.gather(*posts)

    assert {answer.status_code for answer in answers} <= {200, 202}
    assert len({answer.json()["delivery_id"] for answer in answers}) == 1
    await system.rest(sent)
    await system.quiet(sent)
    assert len(await system.replies(sent)) == 1
    assert len([effect for effect in await system.effects(sent) if effect.type == "reply"]) == 1


async def test_a_second_message_gets_a_second_reply_and_no_more(system: System) -> None:
    sent = await system.write(BOOKS, LARS, "Gift", "Do you offer gift wrapping for books?")
    await system.rest(sent)
    await system.quiet(sent)

    again = {"body": "And how do I return a book that I already own?", "author": "customer"}
    await system.emulators.ask("POST", f"/tickets/{BOOKS}/{sent.number}/messages", again)

    await system.turns(sent, 2)
    await system.quiet(sent)
    assert len(await system.replies(sent)) == 2


async def test_a_note_of_a_teammate_starts_nothing(system: System) -> None:
    sent = await system.write(BOOKS, LARS, "Gift", "Do you offer gift wrapping for books?")
    before = await system.rest(sent)
    await system.quiet(sent)

    note = {"body": "I know this customer.", "author": "teammate", "public": False}
    await system.emulators.ask("POST", f"/tickets/{BOOKS}/{sent.number}/messages", note)

    await system.quiet(sent)
    assert await system.effects(sent) == before.effects
