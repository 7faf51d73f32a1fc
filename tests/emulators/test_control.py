"""The control door: its token, idempotent seeding, planted faults."""

from pathlib import Path

import httpx
import pytest

from emulators.app import create_app
from tests.emulators.serving import Town, serve, setup, ticket


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
