"""The shop's published rules, written as our data, decide every public probe rightly and to the cent."""

import hashlib
import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from adapters.policy.bundle import Bundle
from adapters.policy.effective import Effective, alone
from adapters.policy.plain import PlainEngine
from adapters.policy.tables import DocumentEngine
from adapters.regorus import load
from domain.decision import EngineAnswer, PolicyInput, Value, Verdict
from domain.fact import Money
from domain.order_change import Payment, ShopOrder, ShopRecords
from tests.policy.shop_rows import (
    Row,
    amount,
    customer,
    order,
    probe_input,
    proposal,
    rows,
    shop_policy,
    stripped,
    variants,
)
from tests.policy.test_shop_policy import PROBES as OUR_PROBES

PROBES, CASES = "policy_gate_probes.jsonl", "refund_policy_cases.jsonl"
ENGINES: list[Callable[[Effective], DocumentEngine]] = [load, PlainEngine]

# What the data set calls an amount, and our fact.
AMOUNTS = {
    "refund_total": "refund.total",
    "refund_to": "refund.method",
    "charge_total": "charge.total",
    "charge_to": "charge.method",
    "price_difference": "difference.total",
    "settle_with": "difference.method",
}
# Its reasons, which are only hints where several apply, and our codes.
REASONS = {
    "order_not_pending": "order_not_pending",
    "order_not_delivered": "order_not_delivered",
    "not_order_owner": "order_not_owned",
    "reason_not_allowed": "reason_not_accepted",
    "item_not_in_order": "item_not_in_order",
    "product_type_mismatch": "other_product",
    "item_unavailable": "item_not_available",
    "payment_method_not_on_file": "payment_method_not_on_file",
    "refund_method_not_allowed": "refund_method_not_accepted",
    "same_payment_method": "same_payment_method",
    "gift_card_balance_too_low": "gift_card_balance_too_low",
}
# How many probes a rule decides, and the first two of them. Public probes take identity, consent and first
# changes for granted and name as many new items as old ones; test_shop_policy.py has probes for those.
FLIPPED: Mapping[str, tuple[int, list[str]]] = {
    "pending_orders_may_be_changed": (42, ["gate-0000", "gate-0010"]),
    "delivered_orders_may_come_back": (28, ["gate-0073", "gate-0079"]),
    "customers_are_identified": (0, []),
    "customers_have_confirmed": (0, []),
    "customers_change_their_own_orders": (6, ["gate-0005", "gate-0062"]),
    "changes_come_before_packing": (16, ["gate-0014", "gate-0024"]),
    "returns_come_after_delivery": (10, ["gate-0002", "gate-0007"]),
    "items_change_once": (0, []),
    "cancellations_have_a_listed_reason": (14, ["gate-0001", "gate-0059"]),
    "items_are_in_the_order": (14, ["gate-0075", "gate-0091"]),
    "each_item_has_one_successor": (0, []),
    "successors_are_the_same_product": (23, ["gate-0012", "gate-0067"]),
    "successors_are_in_stock": (27, ["gate-0011", "gate-0066"]),
    "payment_methods_are_the_customers": (14, ["gate-0076", "gate-0092"]),
    "refunds_go_back_or_to_a_gift_card": (14, ["gate-0072", "gate-0074"]),
    "the_new_method_is_another_one": (9, ["gate-0013", "gate-0107"]),
    "gift_cards_cover_the_charge": (42, ["gate-0132", "gate-0169"]),
}


class Decided(NamedTuple):
    input: PolicyInput
    answer: EngineAnswer


def decided(probes: list[Row], engine: DocumentEngine) -> dict[str, Decided]:
    found = {}
    for row in probes:
        asked = probe_input(stripped(row))
        found[row["probe_id"]] = Decided(asked, engine.decide_document(as_document(asked)))
    return found


def as_document(asked: PolicyInput) -> str:
    return asked.model_dump_json(exclude_none=True)


def without(bundle: Bundle, *rules: str) -> Bundle:
    return bundle.model_copy(update={"rules": tuple(rule for rule in bundle.rules if rule.id not in rules)})


def in_our_words(expected: Mapping[str, Any]) -> dict[str, Value]:
    found = {AMOUNTS[name]: value for name, value in expected.items() if name in AMOUNTS}
    return {
        name: amount(value) if isinstance(value, Decimal | int) else value for name, value in found.items()
    }


def moved(asked: PolicyInput, names: Mapping[str, Value]) -> dict[str, Value | None]:
    return {name: asked.facts.get(name) for name in names}


@pytest.mark.parametrize("load_engine", ENGINES)
def test_every_verdict_and_amount_is_right(load_engine: Callable[[Effective], DocumentEngine]) -> None:
    probes = rows(PROBES)

    found = decided(probes, load_engine(alone(shop_policy())))

    assert len(found) == len(probes) >= 336
    wrong = {
        row["probe_id"]: found[row["probe_id"]].answer
        for row in probes
        if found[row["probe_id"]].answer.verdict != row["expected"]["decision"]
    }
    assert wrong == {}
    for row in probes:
        expected = in_our_words(row["expected"])
        assert moved(found[row["probe_id"]].input, expected) == expected, row["probe_id"]


def test_every_denial_names_the_reason() -> None:
    probes = [row for row in rows(PROBES) if row["expected"]["decision"] == "deny"]

    found = decided(probes, PlainEngine(alone(shop_policy())))

    for row in probes:
        codes = {reason.code for reason in found[row["probe_id"]].answer.reasons}
        assert REASONS[row["expected"]["reason"]] in codes, row["probe_id"]


@pytest.mark.parametrize("load_engine", ENGINES)
def test_an_emptied_policy_denies_every_probe(load_engine: Callable[[Effective], DocumentEngine]) -> None:
    probes = rows(PROBES)
    emptied = shop_policy().model_copy(update={"rules": ()})

    found = decided(probes, load_engine(alone(emptied)))

    assert {each.answer.verdict for each in found.values()} == {Verdict.DENY}


@pytest.mark.parametrize("rule", [rule.id for rule in shop_policy().rules])
def test_without_a_rule_the_probes_that_it_decides_flip_and_no_other(rule: str) -> None:
    probes = rows(PROBES)
    weakened = PlainEngine(alone(without(shop_policy(), rule)))

    found = decided(probes, weakened)

    flipped = [
        row["probe_id"]
        for row in probes
        if found[row["probe_id"]].answer.verdict != row["expected"]["decision"]
    ]
    assert (len(flipped), flipped[:2]) == FLIPPED[rule]


def test_rules_that_flip_no_public_probe_have_probes_of_our_own() -> None:
    silent = {rule for rule, (count, _) in FLIPPED.items() if not count}

    assert set(FLIPPED) == {rule.id for rule in shop_policy().rules}
    assert silent <= {probe.rule for probe in OUR_PROBES.values()}


def test_order_of_rows_and_words_of_ids_change_nothing() -> None:
    probes = rows(PROBES)
    engine = load(alone(shop_policy()))
    before = decided(probes, engine)
    renamed = [renamed_ids(row) for row in probes]
    random.Random(7).shuffle(renamed)  # noqa: S311 - the same order every time

    after = decided(renamed, engine)

    for row in probes:
        asked, answered = before[row["probe_id"]]
        asked_again, answered_again = after[row["probe_id"]]
        assert answered_again == answered
        assert asked_again.facts == {
            name: other_words(value, ids_in(row)) for name, value in asked.facts.items()
        }


def ids_in(row: Row) -> set[str]:
    methods = set(row["acting_user"]["payment_methods"])
    methods |= {each["payment_method_id"] for each in row["order"]["payment_history"]}
    items = {each[name] for each in row["order"]["items"] for name in ("item_id", "product_id")}
    new = {*row["new_items"]} | {each["product_id"] for each in row["new_items"].values()}
    arguments = row["proposed_action"]["arguments"]
    named = {*arguments.get("item_ids", ()), *arguments.get("new_item_ids", ()), arguments["order_id"]}
    named |= {arguments["payment_method_id"]} if "payment_method_id" in arguments else set()
    return methods | items | new | named | {row["acting_user"]["user_id"], row["order"]["user_id"]}


def renamed_ids(row: Row) -> Row:
    ids = ids_in(row)
    return {name: other_words(value, ids) if name != "expected" else value for name, value in row.items()}


def other_words(value: Any, ids: set[str]) -> Any:
    if isinstance(value, str):
        return hashlib.sha256(value.encode()).hexdigest()[:12] if value in ids else value
    if isinstance(value, dict):
        return {other_words(name, ids): other_words(each, ids) for name, each in value.items()}
    return [other_words(each, ids) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("load_engine", ENGINES)
def test_no_right_action_of_any_case_is_denied(load_engine: Callable[[Effective], DocumentEngine]) -> None:
    engine = load_engine(alone(shop_policy()))

    for case in rows(CASES):
        orders = {row["order_id"]: order(row) for row in case["orders"]}
        for action in case["expected_actions"]:
            tool, arguments = action["tool"], action["arguments"]
            asked = proposed(case, tool, arguments, orders[arguments["order_id"]])
            answered = engine.decide_document(as_document(asked))
            assert answered.verdict is Verdict.ALLOW, (case["case_id"], tool, answered.reasons)
            expected = in_our_words(action)
            assert moved(asked, expected) == expected, (case["case_id"], tool)


def test_no_right_action_is_denied_after_those_before_it() -> None:
    engine = PlainEngine(alone(shop_policy()))
    decisions = 0

    for case in rows(CASES):
        orders = {row["order_id"]: order(row) for row in case["orders"]}
        for action in case["expected_actions"]:
            tool, arguments = action["tool"], action["arguments"]
            asked = proposed(case, tool, arguments, orders[arguments["order_id"]])
            assert engine.decide(asked).verdict is Verdict.ALLOW, (case["case_id"], tool)
            orders[arguments["order_id"]] = after(orders[arguments["order_id"]], asked)
            decisions += 1

    assert decisions >= 340


@pytest.mark.parametrize("tool", ["modify_pending_order_items", "exchange_delivered_order_items"])
def test_the_same_right_action_a_second_time_is_denied(tool: str) -> None:
    engine = PlainEngine(alone(shop_policy()))
    again = 0

    for case in rows(CASES):
        orders = {row["order_id"]: order(row) for row in case["orders"]}
        for action in case["expected_actions"]:
            if action["tool"] != tool:
                continue
            asked = proposed(case, tool, action["arguments"], orders[action["arguments"]["order_id"]])
            changed = after(orders[action["arguments"]["order_id"]], asked)
            answered = engine.decide(proposed(case, tool, action["arguments"], changed))
            assert [reason.code for reason in answered.reasons] == ["order_changed_before"], case["case_id"]
            again += 1

    assert again > 50


def proposed(case: Row, tool: str, arguments: Row, about: ShopOrder) -> PolicyInput:
    requester = customer(case["user"])
    records = ShopRecords(order=about, requester=requester, variants=variants(case["new_items"]))
    return proposal(requester, tool, arguments, records)


def after(about: ShopOrder, done: PolicyInput) -> ShopOrder:
    """What later changes of the same order find; items themselves stay, no case changes them twice."""
    match done.action.type:
        case "change_items" | "exchange_items":
            return about.model_copy(update={"items_changed_before": True})
        case "change_payment":
            method, paid = done.facts["charge.method"], done.facts["charge.total"]
            assert isinstance(method, str)
            assert isinstance(paid, Money)
            return about.model_copy(update={"payments": (Payment(method=method, amount=paid),)})
        case "cancel_order":
            return about.model_copy(update={"status": "cancelled"})
        case _:
            return about
