"""Orders and refunds: tokens, idempotency, balances, one book for both."""

import httpx
import pytest

from tests.emulators.serving import Town

REFUND = {"payment_id": "pay_HB_1", "amount": 2000, "currency": "EUR", "reference": "eff_1"}


async def _refund(town: Town, key: str | None = "eff_1", **changes: object) -> httpx.Response:
    async with town.payments() as payments:
        headers = {"idempotency-key": key} if key else {}
        return await payments.post("/refunds", json={**REFUND, **changes}, headers=headers)


async def test_orders_are_found_by_email_whatever_its_case(town: Town) -> None:
    async with town.shop() as shop:
        orders = (await shop.get("/orders", params={"email": "IDA@example.com"})).json()["orders"]
        customers = (await shop.get("/customers", params={"email": "ida@example.com"})).json()["customers"]

    assert [order["number"] for order in orders] == ["HB-1"]
    assert orders[0]["total"] == {"minor_units": 4990, "currency": "EUR"}
    assert customers[0]["name"] == "Ida Holm"


async def test_a_brand_sees_its_own_orders_only(town: Town) -> None:
    async with town.shop() as shop:
        other = await shop.get("/orders/AG-1")
        nobody = await shop.get("/orders", params={"email": "nobody@example.com"})

    assert other.status_code == 404
    assert nobody.json() == {"orders": []}


@pytest.mark.parametrize("path", ["/shop/harbour_books/api/orders/HB-1", "/payments/api/payments/pay_HB_1"])
async def test_wrong_token_is_refused(town: Town, path: str) -> None:
    async with town.api("", "wrong") as client:
        answer = await client.get(path)

    assert answer.status_code == 401


async def test_refund_shows_in_shop_and_payment(town: Town) -> None:
    answer = await _refund(town)

    async with town.shop() as shop, town.payments() as payments:
        order = (await shop.get("/orders/HB-1")).json()
        payment = (await payments.get("/payments/pay_HB_1")).json()
        found = (await payments.get("/refunds", params={"reference": "eff_1"})).json()["refunds"]
    assert answer.status_code == 201
    assert order["refunded"] == {"minor_units": 2000, "currency": "EUR"}
    assert payment["refunded"] == 2000
    assert found == [answer.json()]


async def test_same_key_refunds_once(town: Town) -> None:
    first, second = await _refund(town), await _refund(town)

    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    async with town.shop() as shop:
        assert (await shop.get("/orders/HB-1")).json()["refunded"]["minor_units"] == 2000


async def test_replay_is_answered_although_nothing_is_left(town: Town) -> None:
    first, second = await _refund(town, amount=4990), await _refund(town, amount=4990)

    assert (first.status_code, second.status_code) == (201, 201)


@pytest.mark.parametrize(
    ("changes", "key", "status", "code"),
    [
        ({"amount": 4991}, "k", 422, "amount_too_large"),  # one cent over the payment
        ({"amount": 0}, "k", 422, "malformed"),
        ({"amount": -5}, "k", 422, "malformed"),
        ({"amount": "2000"}, "k", 422, "malformed"),  # amounts are numbers
        ({"currency": "USD"}, "k", 422, "wrong_currency"),
        ({"payment_id": "pay_none"}, "k", 404, "unknown_payment"),
        ({}, None, 400, "idempotency_key_missing"),
    ],
)
async def test_impossible_refund_is_refused(
    town: Town, changes: dict[str, object], key: str | None, status: int, code: str
) -> None:
    answer = await _refund(town, key, **changes)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_second_refund_may_take_the_rest_and_not_more(town: Town) -> None:
    await _refund(town, "k1", amount=2000)

    over = await _refund(town, "k2", amount=2991)
    rest = await _refund(town, "k3", amount=2990)

    assert (over.status_code, rest.status_code) == (422, 201)


async def test_same_key_for_another_refund_is_a_conflict(town: Town) -> None:
    await _refund(town)

    answer = await _refund(town, amount=1)

    assert answer.status_code == 409
