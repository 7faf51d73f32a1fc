"""Actions that a policy file declares: their arguments, and their amount over facts."""

import json
from typing import Any

import pytest

from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.plain import PlainEngine
from adapters.regorus import load
from domain.errors import BundleRefused
from domain.fact import Money

FILE: dict[str, Any] = {
    "schema_version": 2,
    "name": "credits",
    "facts": {"price.paid": "amount", "price.fee": "amount", "order.status": "word"},
    "actions": {
        "give_credit": {
            "arguments": {
                "customer": {"type": "id"},
                "reason": {"type": "word", "values": ["late", "damaged"]},
                "vouchers": {"type": "integer", "least": 1, "most": 3},
                "orders": {"type": "ids", "least": 1, "most": 2},
                "amount": {"type": "amount"},
                "notify": {"type": "flag", "optional": True},
            },
            "amount": {"sum": ["price.paid"], "less": ["price.fee"]},
        }
    },
    "rules": [{"id": "credits", "when": {"actions": ["give_credit"]}, "allow": True}],
}
EUR_10 = {"minor_units": 1000, "currency": "EUR"}
GIVEN: dict[str, Any] = {
    "customer": "c1",
    "reason": "late",
    "vouchers": 1,
    "orders": ["A1"],
    "amount": EUR_10,
}


def changed(path: str, value: object) -> str:
    copy = json.loads(json.dumps(FILE))
    *way, last = path.split("/")
    place = copy
    for word in way:
        place = place[word]
    place[last] = value
    return json.dumps(copy, indent=1)


def codes(arguments: object) -> list[str]:
    document = json.dumps(
        {
            "schema_version": 2,
            "mode": "automate",
            "channel": "public",
            "action": {"type": "give_credit", "arguments": arguments},
            "agent": {"permission_level": "execute"},
            "ticket": {"owner": "automation", "signals": []},
        }
    )
    policy = alone(parse(json.dumps(FILE)))
    rego, plain = load(policy).decide_document(document), PlainEngine(policy).decide_document(document)
    assert rego == plain
    return [reason.code for reason in rego.reasons]


def test_what_fits_is_decided_by_the_rules() -> None:
    assert codes(GIVEN) == codes({**GIVEN, "notify": False}) == ["allowed"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customer", 7),
        ("customer", None),
        ("reason", "bored"),
        ("vouchers", 0),
        ("vouchers", 4),
        ("vouchers", 1.5),
        ("vouchers", True),
        ("vouchers", "1"),
        ("orders", []),
        ("orders", ["A1", "B2", "C3"]),
        ("orders", "A1"),
        ("orders", ["A1", 2]),
        ("amount", 1000),
        ("amount", {"minor_units": 0.5, "currency": "EUR"}),
        ("amount", {"minor_units": 1000}),
        ("notify", "yes"),
    ],
)
def test_what_does_not_fit_is_denied_by_name(name: str, value: object) -> None:
    assert codes({**GIVEN, name: value}) == [f"argument_invalid.{name}"]


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_missing_is_denied_by_name(name: str) -> None:
    fewer = {each: value for each, value in GIVEN.items() if each != name}

    assert codes(fewer) == [f"argument_missing.{name}"]


def test_what_is_not_declared_is_denied() -> None:
    assert codes({**GIVEN, "text": "hello"}) == ["argument_unknown"]


@pytest.mark.parametrize("arguments", [None, [], "x"])
def test_no_arguments_at_all_are_denied(arguments: object) -> None:
    assert codes(arguments) == [f"argument_missing.{name}" for name in sorted(GIVEN)]


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (
            "actions/give_credit/amount/sum",
            ["price.payd"],
            "'price.payd' is not declared as an amount in facts (did you mean 'price.paid'?)",
        ),
        ("actions/give_credit/amount/less", ["facts.price.fee"], "(did you mean 'price.fee'?)"),
        (
            "actions/give_credit/amount/sum",
            ["order.status"],
            "'order.status' is not declared as an amount in facts",
        ),
        ("actions/give_credit/amount/sum", [], "actions.give_credit.amount.sum: "),
        (
            "actions/give_credit/arguments/notify",
            {"type": "flag", "values": ["yes"]},
            "values are for an id or a word",
        ),
        (
            "actions/give_credit/arguments/reason",
            {"type": "word", "most": 3},
            "least and most are for an integer",
        ),
        (
            "actions/give_credit/arguments/vouchers",
            {"type": "integer", "least": 2, "most": 1},
            "least must not be more than most",
        ),
        (
            "actions/give_credit/arguments/vouchers",
            {"type": "text"},
            "actions.give_credit.arguments.vouchers.type",
        ),
    ],
)
def test_a_declaration_that_cannot_hold_is_refused_with_its_line(
    path: str, value: object, sentence: str
) -> None:
    with pytest.raises(BundleRefused) as refused:
        parse(changed(path, value))

    assert sentence in str(refused.value)
    assert "line 1," not in str(refused.value)


def test_the_amount_is_computed_from_facts() -> None:
    over = parse(json.dumps(FILE)).actions["give_credit"].amount
    assert over is not None
    paid = Money(minor_units=4990, currency="EUR")
    fee = Money(minor_units=490, currency="EUR")

    assert over.of({"price.paid": paid, "price.fee": fee}) == Money(minor_units=4500, currency="EUR")
    assert over.of({"price.paid": paid}) is None
