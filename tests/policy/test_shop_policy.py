"""Each rule of the shop's policy decides something by itself, shown with a small shop of our own."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest

from adapters.policy.bundle import Bundle
from adapters.policy.effective import Effective, alone
from adapters.policy.plain import PlainEngine
from adapters.policy.tables import DocumentEngine
from adapters.regorus import load
from domain.decision import PolicyInput, Value, Verdict
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
from domain.order_change_facts import facts_of
from tests.policy.shop_rows import asked, shop_policy

ENGINES: list[Callable[[Effective], DocumentEngine]] = [load, PlainEngine]
KINDS = {
    "cancel_order": ChangeKind.CANCEL,
    "change_payment": ChangeKind.PAY_OTHERWISE,
    "change_items": ChangeKind.SWAP_ITEMS,
    "change_address": ChangeKind.SHIP_ELSEWHERE,
    "return_items": ChangeKind.RETURN_ITEMS,
    "exchange_items": ChangeKind.SWAP_ITEMS,
}
ARGUMENTS: Mapping[str, Mapping[str, Value]] = {
    "cancel_order": {"order": "A1", "reason": "no_longer_needed"},
    "change_payment": {"order": "A1", "payment_method": "voucher"},
    "change_items": {
        "order": "A1",
        "items": ("lamp",),
        "new_items": ("tall_lamp",),
        "payment_method": "card",
    },
    "change_address": {"order": "A1", "address": "place_1"},
    "return_items": {"order": "A1", "items": ("lamp", "bulb"), "payment_method": "card"},
    "exchange_items": {
        "order": "A1",
        "items": ("lamp",),
        "new_items": ("tall_lamp",),
        "payment_method": "card",
    },
}
LATER = frozenset({"return_items", "exchange_items"})


def eur(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="EUR")


ORDER = ShopOrder(
    id="A1",
    customer="mira",
    status="pending",
    items=(
        OrderItem(id="lamp", product="lamps", price=eur(4990)),
        OrderItem(id="bulb", product="bulbs", price=eur(310)),
    ),
    payments=(Payment(method="card", amount=eur(5300)),),
)
MIRA = ShopCustomer(
    id="mira",
    payment_methods=(
        PaymentMethod(id="card"),
        PaymentMethod(id="other_card"),
        PaymentMethod(id="voucher", gift_card=True, balance=eur(5300)),
    ),
)
VARIANTS = (
    Variant(id="tall_lamp", product="lamps", price=eur(10290), available=True),
    Variant(id="small_lamp", product="lamps", price=eur(2990), available=True),
    Variant(id="gold_lamp", product="lamps", price=eur(4990), available=False),
    Variant(id="book", product="books", price=eur(4990), available=True),
)


class Probe(NamedTuple):
    """A wrong action: what differs from the right one, and the one rule that stops it."""

    action: str
    rule: str
    code: str
    arguments: Mapping[str, Value] = {}
    order: Mapping[str, object] = {}
    input: Mapping[str, object] = {}


PROBES = {
    "a stranger cancels": Probe(
        "cancel_order", "customers_change_their_own_orders", "order_not_owned", order={"customer": "olga"}
    ),
    "nobody is identified": Probe(
        "cancel_order",
        "customers_are_identified",
        "identity_not_verified",
        input={"identity.verified": False},
    ),
    "not confirmed": Probe(
        "return_items", "customers_have_confirmed", "not_confirmed", input={"consent.given": False}
    ),
    "cancelled after packing": Probe(
        "cancel_order", "changes_come_before_packing", "order_not_pending", order={"status": "processed"}
    ),
    "sent elsewhere after packing": Probe(
        "change_address", "changes_come_before_packing", "order_not_pending", order={"status": "processed"}
    ),
    "returned before it came": Probe(
        "return_items", "returns_come_after_delivery", "order_not_delivered", order={"status": "pending"}
    ),
    "changed twice": Probe(
        "change_items", "items_change_once", "order_changed_before", order={"items_changed_before": True}
    ),
    "exchanged after a change": Probe(
        "exchange_items", "items_change_once", "order_changed_before", order={"items_changed_before": True}
    ),
    "cancelled after a change": Probe(
        "cancel_order", "items_change_once", "order_changed_before", order={"items_changed_before": True}
    ),
    "a reason of their own": Probe(
        "cancel_order",
        "cancellations_have_a_listed_reason",
        "reason_not_accepted",
        arguments={"reason": "too_slow"},
    ),
    "the same item twice": Probe(
        "return_items", "items_are_in_the_order", "item_not_in_order", arguments={"items": ("lamp", "lamp")}
    ),
    "two for one": Probe(
        "exchange_items",
        "each_item_has_one_successor",
        "new_items_do_not_match",
        arguments={"new_items": ("tall_lamp", "small_lamp")},
    ),
    "a book for a lamp": Probe(
        "change_items", "successors_are_the_same_product", "other_product", arguments={"new_items": ("book",)}
    ),
    "out of stock": Probe(
        "change_items",
        "successors_are_in_stock",
        "item_not_available",
        arguments={"new_items": ("gold_lamp",)},
    ),
    "somebody's card pays": Probe(
        "exchange_items",
        "payment_methods_are_the_customers",
        "payment_method_not_on_file",
        arguments={"payment_method": "olgas_card"},
    ),
    "somebody's card is paid": Probe(
        "return_items",
        "payment_methods_are_the_customers",
        "payment_method_not_on_file",
        arguments={"payment_method": "olgas_card"},
    ),
    "back to a card that did not pay": Probe(
        "return_items",
        "refunds_go_back_or_to_a_gift_card",
        "refund_method_not_accepted",
        arguments={"payment_method": "other_card"},
    ),
    "the same card again": Probe(
        "change_payment",
        "the_new_method_is_another_one",
        "same_payment_method",
        arguments={"payment_method": "card"},
    ),
    "a cent more than the voucher has": Probe(
        "change_payment",
        "gift_cards_cover_the_charge",
        "gift_card_balance_too_low",
        order={"payments": (Payment(method="card", amount=eur(5301)),)},
    ),
}


def proposal(probe: Probe) -> PolicyInput:
    arguments = {**ARGUMENTS[probe.action], **probe.arguments}
    status = "delivered" if probe.action in LATER else "pending"
    order = ORDER.model_copy(update={"status": status, **probe.order})
    change = OrderChange(
        kind=KINDS[probe.action],
        requester="mira",
        **{
            name: arguments[name]
            for name in ("order", "items", "new_items", "payment_method")
            if name in arguments
        },
    )
    facts = facts_of(change, ShopRecords(order=order, requester=MIRA, variants=VARIANTS))
    right = asked(probe.action, arguments, facts)
    return right.model_copy(
        update={
            name.split(".")[0]: getattr(right, name.split(".")[0]).model_copy(
                update={name.split(".")[1]: value}
            )
            for name, value in probe.input.items()
        }
    )


def verdict(engine: DocumentEngine, probe: Probe) -> tuple[Verdict, list[tuple[str, str]]]:
    answered = engine.decide_document(proposal(probe).model_dump_json(exclude_none=True))
    return answered.verdict, [(reason.rule, reason.code) for reason in answered.reasons]


def without(bundle: Bundle, rule: str) -> Bundle:
    return bundle.model_copy(update={"rules": tuple(each for each in bundle.rules if each.id != rule)})


RIGHT = {action: Probe(action, "", "") for action in ARGUMENTS}
GRANTS = {
    "pending_orders_may_be_changed": ["cancel_order", "change_payment", "change_items", "change_address"],
    "delivered_orders_may_come_back": ["return_items", "exchange_items"],
}


@pytest.mark.parametrize("load_engine", ENGINES)
@pytest.mark.parametrize("action", ARGUMENTS)
def test_the_right_action_is_allowed(action: str, load_engine: Callable[[Effective], DocumentEngine]) -> None:
    assert verdict(load_engine(alone(shop_policy())), RIGHT[action])[0] is Verdict.ALLOW


@pytest.mark.parametrize("load_engine", ENGINES)
@pytest.mark.parametrize("name", PROBES)
def test_the_wrong_action_is_denied_by_its_rule_alone(
    name: str, load_engine: Callable[[Effective], DocumentEngine]
) -> None:
    probe = PROBES[name]

    assert verdict(load_engine(alone(shop_policy())), probe) == (Verdict.DENY, [(probe.rule, probe.code)])


@pytest.mark.parametrize("name", PROBES)
def test_without_its_rule_the_wrong_action_passes(name: str) -> None:
    probe = PROBES[name]

    assert verdict(PlainEngine(alone(without(shop_policy(), probe.rule))), probe)[0] is Verdict.ALLOW


@pytest.mark.parametrize("rule", GRANTS)
def test_without_a_grant_nothing_of_it_passes(rule: str) -> None:
    engine = PlainEngine(alone(without(shop_policy(), rule)))

    assert [verdict(engine, RIGHT[action])[0] for action in GRANTS[rule]] == [Verdict.DENY] * len(
        GRANTS[rule]
    )


def test_every_rule_has_a_probe() -> None:
    assert {rule.id for rule in shop_policy().rules} == {probe.rule for probe in PROBES.values()} | set(
        GRANTS
    )


def test_an_unknown_order_is_denied_whatever_is_asked() -> None:
    engine = load(alone(shop_policy()))

    for action, arguments in ARGUMENTS.items():
        change = OrderChange(kind=KINDS[action], requester="mira", order="A1")
        facts = facts_of(change, ShopRecords(requester=MIRA, variants=VARIANTS))
        answered = engine.decide_document(asked(action, arguments, facts).model_dump_json(exclude_none=True))
        assert answered.verdict is Verdict.DENY
        assert "order_unknown" in [reason.code for reason in answered.reasons]


@pytest.mark.parametrize("action", ARGUMENTS)
def test_a_fact_that_is_missing_never_opens_anything(action: str) -> None:
    right = proposal(RIGHT[action])
    engine = load(alone(shop_policy()))
    needed = set()

    for name in right.facts:
        fewer = {each: value for each, value in right.facts.items() if each != name}
        answered = engine.decide(right.model_copy(update={"facts": fewer}))
        if answered.verdict is Verdict.DENY:
            needed.add(name)
        else:
            assert answered.verdict is Verdict.ALLOW

    assert {"order.exists", "order.owned_by_requester", "order.status"} <= needed


def test_the_voucher_covers_exactly_its_balance() -> None:
    engine = load(alone(shop_policy()))
    exact = Probe("change_items", "", "", arguments={"payment_method": "voucher"})

    assert proposal(exact).facts["charge.total"] == eur(5300)
    assert verdict(engine, exact)[0] is Verdict.ALLOW
