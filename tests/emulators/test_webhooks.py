"""Webhooks: signed, repeated until a 2xx, resumed after a restart, for every author."""

import json
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from emulators.app import create_app
from emulators.setup import Setup
from tests.emulators.serving import WEBHOOK_SECRET, Receiver, Town, serve, setup, ticket


async def test_new_ticket_is_announced_and_signed(town: Town, receiver: Receiver) -> None:
    async with town.control() as control:
        opened = (await control.post("/tickets", json=ticket())).json()

    arrived = await receiver.next()

    body = Webhook(WEBHOOK_SECRET).verify(arrived.body, arrived.headers)
    assert arrived.path == "/hooks/harbour_books"
    assert body == {
        "type": "ticket.message_created",
        "ticket_id": opened["id"],
        "message_id": opened["message_id"],
        "author": "customer",
        "public": True,
        "created_at": body["created_at"],
    }


async def test_signature_does_not_fit_another_body(town: Town, receiver: Receiver) -> None:
    async with town.control() as control:
        await control.post("/tickets", json=ticket())

    arrived = await receiver.next()

    with pytest.raises(WebhookVerificationError):
        Webhook(WEBHOOK_SECRET).verify(arrived.body + b" ", arrived.headers)


async def test_our_own_reply_and_note_are_announced_too(town: Town, receiver: Receiver) -> None:
    async with town.control() as control, town.helpdesk() as helpdesk:
        opened = (await control.post("/tickets", json=ticket(send_webhook=False))).json()
        for kind in ("replies", "notes"):
            path, key = f"/tickets/{opened['id']}/{kind}", {"Idempotency-Key": f"key-{kind}"}
            await helpdesk.post(path, json={"body": "Hello"}, headers=key)

    bodies = [json.loads((await receiver.next()).body) for _ in range(2)]

    assert sorted((body["author"], body["public"], body["reference"]) for body in bodies) == [
        ("automation", False, "key-notes"),
        ("automation", True, "key-replies"),
    ]


async def test_duplicate_delivery_has_the_same_id(town: Town, receiver: Receiver) -> None:
    async with town.control() as control:
        await control.post("/tickets", json=ticket(duplicate_delivery=True))

    first, second = await receiver.next(), await receiver.next()

    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


async def test_delivery_is_repeated_until_accepted(town: Town, receiver: Receiver) -> None:
    receiver.statuses = [503, 302]
    async with town.control() as control:
        await control.post("/tickets", json=ticket())

    arrived = [await receiver.next() for _ in range(3)]

    assert len({entry.headers["webhook-id"] for entry in arrived}) == 1
    assert await _settled(town) == {("delivered", 3)}


async def test_delivery_is_given_up_and_sent_again_on_demand(town: Town, receiver: Receiver) -> None:
    receiver.statuses = [500, 500, 500]
    async with town.control() as control, town.browser() as browser:
        await control.post("/tickets", json=ticket())
        for _ in range(3):
            await receiver.next()
        assert await _settled(town) == {("failed", 3)}

        await browser.post("/deliveries")

    await receiver.next()
    assert await _settled(town) == {("delivered", 1)}


async def test_restart_resumes_what_was_not_delivered(
    app_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    there = Setup.model_validate(setup(app_url))
    nobody = Setup.model_validate(setup("http://127.0.0.1:9"))
    async with (
        serve(create_app(tmp_path, nobody, waits_s=(0.2,) * 50)) as url,
        Town(url).control() as control,
    ):
        opened = (await control.post("/tickets", json=ticket())).json()

    async with serve(create_app(tmp_path, there)):
        arrived = await receiver.next()

    assert json.loads(arrived.body)["ticket_id"] == opened["id"]


async def test_hundreds_of_tickets_are_all_announced(town: Town, receiver: Receiver) -> None:
    many = [ticket(ticket_id=f"bulk-{n}") for n in range(300)]

    async with town.control() as control:
        answer = await control.post("/tickets", json={"tickets": many})

    arrived = {json.loads((await receiver.next()).body)["ticket_id"] for _ in many}
    assert arrived == {entry["id"] for entry in answer.json()["tickets"]}


async def _settled(town: Town) -> set[tuple[str, int]]:
    async with town.control() as control:
        while True:
            entries = (await control.get("/state")).json()["webhooks"]
            found = {(entry["state"], entry["attempts"]) for entry in entries}
            if all(state != "pending" for state, _ in found):
                return found


async def test_dead_sender_is_not_live(app_url: str, tmp_path: Path) -> None:
    app = create_app(tmp_path, Setup.model_validate(setup(app_url)))
    async with serve(app) as url, Town(url).browser() as browser:
        before = await browser.get("/health/live")
        app.state.sending.cancel()
        after = await browser.get("/health/live")

    assert (before.status_code, after.status_code) == (200, 503)
