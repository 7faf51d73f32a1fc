"""The control door: its token, idempotent seeding, planted faults."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from emulators.app import create_app
from emulators.setup import Setup
from tests.emulators.serving import Receiver, Town, serve, setup, ticket


@pytest.mark.parametrize("token", ["wrong", "hd-token"])
async def test_control_needs_its_token(town: Town, token: str) -> None:
    async with town.api("/control", token) as control:
        assert (await control.get("/state")).status_code == 401


async def test_without_a_token_the_door_stays_shut(tmp_path: Path) -> None:
    async with serve(create_app(tmp_path)) as url, Town(url).control() as control:
        assert (await control.get("/state")).status_code == 401


async def test_seeding_again_keeps_what_happened(town: Town, app_url: str) -> None:
    refund = {"payment_id": "pay_HB_1", "amount": 100, "currency": "EUR", "reference": "eff_1"}
    async with town.control() as control, town.payments() as payments:
        await control.post("/tickets", json=ticket(send_webhook=False))
        await payments.post("/refunds", json=refund, headers={"idempotency-key": "eff_1"})
        before = (await control.get("/state")).json()

        await control.post("/seed", json=setup(app_url))

        assert (await control.get("/state")).json() == before


async def test_brand_added_later_is_served(town: Town) -> None:
    brand = {"name": "later", "title": "Later", "helpdesk_token": "hd-later", "shop_token": "shop-later"}

    async with town.control() as control, town.browser() as browser:
        answer = await control.post("/seed", json={"brands": [brand]})
        page = await browser.get("/helpdesk/later")

    assert answer.json() == {"brands": ["harbour_books", "alpine", "later"]}
    assert page.status_code == 200


async def test_given_ticket_id_is_opened_once(town: Town) -> None:
    async with town.control() as control:
        answers = [
            (await control.post("/tickets", json=ticket(ticket_id="T1", send_webhook=False))).json()
            for _ in range(2)
        ]
        state = (await control.get("/state", params={"brand": "harbour_books"})).json()

    assert [answer["created"] for answer in answers] == [True, False]
    assert answers[0]["message_id"] == answers[1]["message_id"]
    assert len(state["tickets"]) == 1


async def test_state_of_a_brand_is_its_own(town: Town) -> None:
    async with town.control() as control:
        await control.post("/tickets", json=ticket(brand="alpine", send_webhook=False))
        state = (await control.get("/state", params={"brand": "harbour_books"})).json()

    assert state["tickets"] == []
    assert [order["number"] for order in state["orders"]] == ["HB-1"]


async def test_reset_forgets_what_happened_and_keeps_the_setup(town: Town) -> None:
    async with town.control() as control, town.helpdesk() as helpdesk:
        await control.post("/tickets", json=ticket(send_webhook=False))
        await control.post("/reset")

        assert (await helpdesk.get("/tickets")).json() == {"tickets": []}


async def test_unknown_brand_is_refused(town: Town) -> None:
    async with town.control() as control:
        assert (await control.post("/tickets", json=ticket(brand="nobody"))).status_code == 404


@pytest.mark.parametrize(
    ("kind", "status", "refunds"),
    [("error_before", 500, 0), ("error_after", 500, 1), ("unavailable", 503, 0), ("ratelimited", 429, 0)],
)
async def test_fault_hits_once_and_then_the_key_still_refunds_once(
    town: Town, kind: str, status: int, refunds: int
) -> None:
    async with town.control() as control:
        await control.post("/faults", json={"surface": "payments", "kind": kind})

        answer = await _refund(town)
        made = len((await control.get("/state")).json()["refunds"])
        again = await _refund(town)
        after = len((await control.get("/state")).json()["refunds"])

    assert (answer.status_code, made) == (status, refunds)
    assert (again.status_code, after) == (201, 1)
    assert (status == 429) is ("retry-after" in answer.headers)


async def test_timeout_does_the_work_and_answers_late(town: Town) -> None:
    async with town.control() as control:
        await control.post("/faults", json={"surface": "payments", "kind": "timeout"})

        with pytest.raises(httpx.ReadTimeout):
            await _refund(town, patience_s=0.3)

        assert len((await control.get("/state")).json()["refunds"]) == 1


async def test_fault_hits_only_its_path_and_as_often_as_ordered(town: Town) -> None:
    fault = {"surface": "helpdesk", "kind": "error_before", "times": 2, "path": "/replies"}
    async with town.control() as control, town.helpdesk() as helpdesk:
        await control.post("/tickets", json=ticket(ticket_id="T1", send_webhook=False))
        await control.post("/faults", json=fault)

        read = await helpdesk.get("/tickets/T1")
        replies = [await helpdesk.post("/tickets/T1/replies", json={"body": "x"}) for _ in range(3)]

    assert read.status_code == 200
    assert [reply.status_code for reply in replies] == [500, 500, 201]


async def _refund(town: Town, patience_s: float = 5.0) -> httpx.Response:
    body = {"payment_id": "pay_HB_1", "amount": 100, "currency": "EUR", "reference": "eff_1"}
    async with town.payments() as payments:
        headers = {"idempotency-key": "eff_1"}
        return await payments.post("/refunds", json=body, headers=headers, timeout=patience_s)


async def test_message_is_announced_late_and_again_with_the_same_webhook_id(
    town: Town, receiver: Receiver
) -> None:
    async with town.control() as control:
        opened = (await control.post("/tickets", json=ticket(send_webhook=False))).json()
        where = f"/tickets/harbour_books/{opened['id']}"
        second = (await control.post(f"{where}/messages", json={"body": "And?"})).json()
        first_seen = await receiver.next()
        for _ in range(2):
            await control.post(f"{where}/deliveries", json={"message_id": opened["message_id"]})
        late, again = await receiver.next(), await receiver.next()

    told = [json.loads(arrived.body)["message_id"] for arrived in (first_seen, late, again)]
    assert told == [second["id"], opened["message_id"], opened["message_id"]]
    assert late.headers["webhook-id"] == again.headers["webhook-id"] != first_seen.headers["webhook-id"]


async def test_only_messages_of_the_ticket_itself_are_announced(town: Town) -> None:
    async with town.control() as control:
        first, second = [
            (await control.post("/tickets", json=ticket(send_webhook=False))).json() for _ in range(2)
        ]
        where = f"/tickets/harbour_books/{first['id']}/deliveries"
        answers = [
            await control.post(where, json={"message_id": id_}) for id_ in (second["message_id"], "m999", "x")
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 422]


async def test_ticket_is_merged_or_called_spam(town: Town) -> None:
    async with town.control() as control, town.helpdesk() as helpdesk:
        first, second = [
            (await control.post("/tickets", json=ticket(send_webhook=False))).json()["id"] for _ in range(2)
        ]
        before = (await helpdesk.get(f"/tickets/{first}")).json()
        await control.patch(f"/tickets/harbour_books/{second}", json={"merged_into": first})
        await control.patch(f"/tickets/harbour_books/{first}", json={"spam": True})
        after = [(await helpdesk.get(f"/tickets/{id_}")).json() for id_ in (first, second)]

    assert (before["merged_into"], before["spam"]) == (None, False)
    assert [(each["merged_into"], each["spam"]) for each in after] == [(None, True), (first, False)]


async def test_ticket_is_not_merged_into_itself_or_into_nothing(town: Town) -> None:
    async with town.control() as control:
        id_ = (await control.post("/tickets", json=ticket(send_webhook=False))).json()["id"]
        where = f"/tickets/harbour_books/{id_}"
        answers = [await control.patch(where, json={"merged_into": into}) for into in (id_, "987")]

    assert [answer.status_code for answer in answers] == [422, 404]


async def test_message_keeps_the_headers_of_its_mail(town: Town) -> None:
    headers = {"Auto-Submitted": "auto-replied"}
    async with town.control() as control, town.helpdesk() as helpdesk:
        opened = (
            await control.post("/tickets", json=ticket(send_webhook=False, mail_headers=headers))
        ).json()
        where = f"/tickets/harbour_books/{opened['id']}/messages"
        second = {"body": "Away", "subject": "Out of office", "mail_headers": headers, "send_webhook": False}
        await control.post(where, json=second)
        found = (await helpdesk.get(f"/tickets/{opened['id']}")).json()["messages"]

    assert [m["mail_headers"] for m in found] == [headers, headers]
    assert [m["subject"] for m in found] == [None, "Out of office"]


async def test_state_from_before_tickets_could_be_merged_is_brought_up(tmp_path: Path) -> None:
    older = """
        CREATE TABLE tickets (
          brand TEXT NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL, status TEXT NOT NULL,
          tags TEXT NOT NULL, requester TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
          position INTEGER NOT NULL, PRIMARY KEY (brand, id));
        CREATE TABLE ticket_messages (
          position INTEGER PRIMARY KEY AUTOINCREMENT, brand TEXT NOT NULL, ticket_id TEXT NOT NULL,
          author TEXT NOT NULL, body TEXT NOT NULL, public INTEGER NOT NULL, created_at TEXT NOT NULL,
          reference TEXT, UNIQUE (brand, reference));
        INSERT INTO tickets VALUES ('harbour_books', 'T1', 'Bent', 'open', '[]', '{}', '', '', 1);
        INSERT INTO ticket_messages VALUES (1, 'harbour_books', 'T1', 'customer', 'It is.', 1, '', NULL);"""
    with closing(sqlite3.connect(tmp_path / "emulators.sqlite3")) as book:
        book.executescript(older)

    settings = Setup.model_validate(setup("http://127.0.0.1:9"))
    async with serve(create_app(tmp_path, settings)) as url, Town(url).helpdesk() as helpdesk:
        found = (await helpdesk.get("/tickets/T1")).json()

    assert (found["merged_into"], found["spam"]) == (None, False)
    assert found["messages"][0]["mail_headers"] == {}
