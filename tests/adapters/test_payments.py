import httpx
import pytest

from adapters.http import Endpoint, RestApi
from adapters.payments import RefundSender
from domain.action import Refund
from domain.errors import DeliveryRefused, DeliveryUncertain
from domain.fact import Money
from tests.adapters.emulated import ORDER_RECORD, OTHER_KEY, PAYMENT_RECORD, Emulated, order_of


def refund(minor_units: int) -> Refund:
    amount = Money(minor_units=minor_units, currency="EUR")
    return Refund(order=ORDER_RECORD, payment=PAYMENT_RECORD, amount=amount, playbook="broken_lamp")


async def test_same_key_twice_pays_back_once(payments_api: RestApi, emulated: Emulated) -> None:
    sender, order = RefundSender(payments_api), order_of(refund(1500))

    first, second = await sender.send(order), await sender.send(order)

    assert first.external_id == second.external_id
    assert [paid["amount"] for paid in emulated.state()["refunds"]] == [1500]


async def test_refund_behind_a_lost_answer_is_found(payments_api: RestApi, emulated: Emulated) -> None:
    sender, order = RefundSender(payments_api), order_of(refund(1500))
    emulated.plant("payments", "error_after")

    with pytest.raises(DeliveryUncertain):
        await sender.send(order)

    assert await sender.find(order) is not None


async def test_refund_that_never_arrived_is_not_found(payments_api: RestApi, emulated: Emulated) -> None:
    sender, order = RefundSender(payments_api), order_of(refund(1500))
    emulated.plant("payments", "error_before")

    with pytest.raises(DeliveryUncertain):
        await sender.send(order)

    assert await sender.find(order) is None


async def test_more_than_was_paid_is_refused(payments_api: RestApi, emulated: Emulated) -> None:
    sender = RefundSender(payments_api)
    await sender.send(order_of(refund(3000)))

    with pytest.raises(DeliveryRefused):
        await sender.send(order_of(refund(3000), key=OTHER_KEY))

    assert len(emulated.state()["refunds"]) == 1


async def test_refund_that_the_bank_turned_down_is_no_receipt() -> None:
    async def endpoint_of(tenant_id: object) -> Endpoint:
        return Endpoint("http://payments.test", "sk")

    failed = httpx.MockTransport(lambda _: httpx.Response(201, json={"id": "re_1", "status": "failed"}))
    async with httpx.AsyncClient(transport=failed) as client:
        sender = RefundSender(RestApi(client, "payments", endpoint_of))

        with pytest.raises(DeliveryRefused):
            await sender.send(order_of(refund(1500)))


async def test_provider_without_a_list_of_refunds_tells_nothing() -> None:
    async def endpoint_of(tenant_id: object) -> Endpoint:
        return Endpoint("http://payments.test", "sk")

    missing = httpx.MockTransport(lambda _: httpx.Response(404))
    sender = RefundSender(RestApi(httpx.AsyncClient(transport=missing), "payments", endpoint_of))

    with pytest.raises(DeliveryRefused):
        await sender.find(order_of(refund(1500)))
