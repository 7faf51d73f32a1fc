"""What is true about a change of an order, and what nobody can know."""

import random

import pytest

from domain.decision import Value
from domain.fact import Money
from domain.order_change import (
    ChangeKind,
    OrderChange,
    OrderItem,
    Payment,
    PaymentMethod,
    ShopCustomer,
    ShopOrder,
    ShopRecords,
    Variant,
)
from domain.order_change_facts import Facts, facts_of


def eur(units: int) -> Money:
    return Money(minor_units=units, currency="EUR")


ORDER = ShopOrder(
    id="A1",
    customer="mira",
    status="delivered",
    items=(
        OrderItem(id="cup", product="cups", price=eur(900)),
        OrderItem(id="cup", product="cups", price=eur(700)),  # the second one was cheaper
        OrderItem(id="pot", product="pots", price=eur(3400)),
    ),
    payments=(Payment(method="card", amount=eur(5000)),),
)
MIRA = ShopCustomer(
    id="mira",
    payment_methods=(PaymentMethod(id="card"), PaymentMethod(id="voucher", gift_card=True, balance=eur(400))),
)
VARIANTS = (
    Variant(id="red_cup", product="cups", price=eur(1000), available=True),
    Variant(id="blue_cup", product="cups", price=eur(500), available=False),
    Variant(id="big_pot", product="pots", price=eur(3401), available=True),
    Variant(id="dollar_pot", product="pots", price=Money(minor_units=1, currency="USD"), available=True),
)


def change(kind: ChangeKind, *items: str, new: tuple[str, ...] = (), by: str | None = "card") -> OrderChange:
    return OrderChange(kind=kind, requester="mira", order="A1", items=items, new_items=new, payment_method=by)


def facts(about: OrderChange, order: ShopOrder | None = ORDER) -> Facts:
    return facts_of(about, ShopRecords(order=order, requester=MIRA, variants=VARIANTS))


RETURN, SWAP, CANCEL = ChangeKind.RETURN_ITEMS, ChangeKind.SWAP_ITEMS, ChangeKind.CANCEL


@pytest.mark.parametrize(
    ("items", "within"),
    [
        (("cup",), True),
        (("cup", "cup"), True),
        (("cup", "cup", "cup"), False),
        (("pot", "cup"), True),
        (("pan",), False),
        (("cup", "pan"), False),
        ((), False),
    ],
)
def test_items_are_counted_as_often_as_they_were_ordered(items: tuple[str, ...], within: bool) -> None:  # noqa: FBT001 - a row
    found = facts(change(RETURN, *items))

    assert found["items.in_order"] is within
    assert ("refund.total" in found) is within


def test_of_two_prices_the_lower_one_goes_back_first() -> None:
    assert facts(change(RETURN, "cup"))["refund.total"] == eur(700)
    assert facts(change(RETURN, "cup", "cup", "pot"))["refund.total"] == eur(5000)


@pytest.mark.parametrize(
    ("owner", "requester", "known", "owned"),
    [("mira", "mira", "mira", True), ("olga", "mira", "mira", False), ("mira", "mira", "olga", False)],
)
def test_an_order_is_owned_by_who_ordered_it(owner: str, requester: str, known: str, owned: bool) -> None:  # noqa: FBT001 - a row
    records = ShopRecords(
        order=ORDER.model_copy(update={"customer": owner}), requester=MIRA.model_copy(update={"id": known})
    )
    about = change(CANCEL).model_copy(update={"requester": requester})

    assert facts_of(about, records)["order.owned_by_requester"] is owned


def test_an_order_that_is_not_there_has_no_facts_but_that() -> None:
    found = facts(change(CANCEL, by=None), order=None)

    assert found == {"order.exists": False, "order.owned_by_requester": False}


def test_another_order_than_the_one_named_does_not_exist() -> None:
    other = ORDER.model_copy(update={"id": "B2"})

    assert facts(change(CANCEL), order=other)["order.exists"] is False


def test_a_cancellation_pays_back_what_is_left_of_what_was_paid() -> None:
    partly = ORDER.model_copy(
        update={"payments": (*ORDER.payments, Payment(method="card", amount=eur(-700)))}
    )

    found = facts(change(CANCEL, by=None), partly)

    assert (found["refund.total"], found["refund.method"]) == (eur(4300), "card")
    assert found["order.paid"] == eur(4300)


def test_an_order_paid_in_two_ways_has_no_single_target() -> None:
    both = ORDER.model_copy(update={"payments": (*ORDER.payments, Payment(method="voucher", amount=eur(1)))})

    found = facts(change(CANCEL, by=None), both)

    assert found["refund.total"] == eur(5001)
    assert "refund.method" not in found


def test_a_method_that_has_everything_back_did_not_pay() -> None:
    moved = ORDER.model_copy(
        update={
            "payments": (
                *ORDER.payments,
                Payment(method="card", amount=eur(-5000)),
                Payment(method="voucher", amount=eur(5000)),
            )
        }
    )

    found = facts(change(ChangeKind.PAY_OTHERWISE, by="card"), moved)

    assert found["method.paid_the_order"] is False
    assert (found["refund.method"], found["charge.method"]) == ("voucher", "card")
    assert found["charge.total"] == found["refund.total"] == eur(5000)


@pytest.mark.parametrize(
    ("method", "on_file", "gift_card", "paid", "balance"),
    [
        ("card", True, False, True, None),
        ("voucher", True, True, False, eur(400)),
        ("olgas_card", False, False, False, None),
    ],
)
def test_a_method_is_what_the_customer_has_on_file(
    method: str,
    on_file: bool,  # noqa: FBT001 - a row
    gift_card: bool,  # noqa: FBT001 - a row
    paid: bool,  # noqa: FBT001 - a row
    balance: Value | None,
) -> None:
    found = facts(change(RETURN, "cup", by=method))

    assert found["method.on_file"] is on_file
    assert found["method.is_gift_card"] is gift_card
    assert found["method.paid_the_order"] is paid
    assert found.get("method.balance") == balance


SWAPS: dict[str, tuple[tuple[str, ...], tuple[str, ...], dict[str, Value | None]]] = {
    "dearer": (
        ("cup",),
        ("red_cup",),
        {"difference.total": eur(300), "charge.total": eur(300), "refund.total": eur(0)},
    ),
    "cheaper": (
        ("cup",),
        ("blue_cup",),
        {"difference.total": eur(-200), "charge.total": eur(0), "refund.total": eur(200)},
    ),
    "out of stock": (("cup",), ("blue_cup",), {"new_items.available": False, "new_items.same_product": True}),
    "other product": (("cup",), ("big_pot",), {"new_items.available": True, "new_items.same_product": False}),
    "pairs in the wrong order": (("cup", "pot"), ("big_pot", "red_cup"), {"new_items.same_product": False}),
    "pairs": (
        ("cup", "pot"),
        ("red_cup", "big_pot"),
        {"new_items.same_product": True, "difference.total": eur(301)},
    ),
    "one too few": (
        ("cup", "pot"),
        ("red_cup",),
        {"new_items.one_for_each": False, "new_items.same_product": True},
    ),
    "none": (("cup",), (), {"new_items.one_for_each": False, "difference.total": None}),
    "never heard of": (
        ("cup",),
        ("gold_cup",),
        {"new_items.available": False, "new_items.same_product": False, "difference.total": None},
    ),
    "not in the order": (("pan",), ("red_cup",), {"items.in_order": False, "new_items.same_product": False}),
    "another currency": (("pot",), ("dollar_pot",), {"difference.total": None, "charge.total": None}),
}


@pytest.mark.parametrize("name", SWAPS)
def test_new_items_are_compared_with_the_ones_they_replace(name: str) -> None:
    items, new, expected = SWAPS[name]

    found = facts(change(SWAP, *items, new=new))

    assert {each: found.get(each) for each in expected} == expected


def test_the_same_item_again_is_no_difference() -> None:
    same = Variant(id="pot", product="pots", price=eur(3400), available=True)
    about = change(SWAP, "pot", new=("pot",))

    found = facts_of(about, ShopRecords(order=ORDER, requester=MIRA, variants=(same,)))

    assert found["new_items.differ"] is False
    assert found["difference.total"] == eur(0)


def test_the_order_of_records_changes_nothing() -> None:
    about = change(SWAP, "cup", "pot", new=("red_cup", "big_pot"), by="voucher")
    before = facts(about)
    shuffled = random.Random(3)  # noqa: S311 - the same order every time

    for _ in range(20):
        items, variants = list(ORDER.items), list(VARIANTS)
        shuffled.shuffle(items)
        shuffled.shuffle(variants)
        order = ORDER.model_copy(update={"items": tuple(items)})
        records = ShopRecords(order=order, requester=MIRA, variants=tuple(variants))
        assert facts_of(about, records) == before
