import pytest

from adapters.http import RestApi
from adapters.shop import RestShop
from domain.errors import ProviderUnavailable
from domain.fact import Money
from tests.adapters.emulated import EMAIL, ORDER, PAYMENT, TENANT, Emulated


async def test_orders_of_an_account_are_read(shop_api: RestApi) -> None:
    [order] = await RestShop(shop_api).orders_of(TENANT, EMAIL)

    assert (order.number, order.payment_id) == (ORDER, PAYMENT)
    assert order.total == Money(minor_units=4000, currency="EUR")


async def test_order_is_read_by_its_number(shop_api: RestApi) -> None:
    order = await RestShop(shop_api).order(TENANT, ORDER)

    assert order is not None
    assert order.customer_email == EMAIL


@pytest.mark.parametrize("number", ["LL-999", "", "..", "../orders", "LL-100/../../customers", "100%"])
async def test_number_without_an_order_finds_none(shop_api: RestApi, number: str) -> None:
    assert await RestShop(shop_api).order(TENANT, number) is None


async def test_stranger_has_no_account_and_no_orders(shop_api: RestApi) -> None:
    shop = RestShop(shop_api)

    assert await shop.account(TENANT, EMAIL)
    assert await shop.account(TENANT, "nobody@example.com") is None
    assert list(await shop.orders_of(TENANT, "nobody@example.com")) == []


async def test_closed_shop_is_unavailable(shop_api: RestApi, emulated: Emulated) -> None:
    emulated.plant("shop", "unavailable")

    with pytest.raises(ProviderUnavailable):
        await RestShop(shop_api).orders_of(TENANT, EMAIL)
