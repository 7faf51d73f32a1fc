"""What a primitive needs and is of another type, out of range or not there denies, by both engines alike."""

from typing import Any

import pytest

from adapters import regorus
from adapters.policy.bundle import PRIMITIVES
from adapters.policy.effective import alone
from adapters.policy.plain import PlainEngine
from domain.decision import Verdict
from tests.adapters.policy.deciding import TENANT, asked, codes, decide, policy

NO_WORD: list[Any] = [None, True, 0, 7, 7.5, [], ["support"], {}, {"support": True}]
NO_COUNT: list[Any] = [None, True, "3", "", 0.5, -1, -(2**70), 2**53, 2**70, [], [0], {}, {"count": 0}]
NO_AMOUNT: list[Any] = [
    None,
    True,
    5000,
    "50.00",
    [],
    [5000, "EUR"],
    {},
    {"minor_units": 5000},
    {"currency": "EUR"},
]
COUNTER = "reply.customer.3600"
CREDIT = {"grant_credit": {"band": "high"}}


def found(primitive: dict[str, Any], document: dict[str, Any]) -> tuple[Verdict, list[str]]:
    answered = decide(policy([{"when": {"actions": ["reply"]}, "allow": True, **primitive}]), document)
    return answered.verdict, codes(answered)


@pytest.mark.parametrize("value", NO_WORD, ids=repr)
def test_purpose_of_another_type_is_missing(value: Any) -> None:
    assert found({"purpose": ["support"]}, asked(purpose=value)) == (Verdict.DENY, ["purpose_missing"])


@pytest.mark.parametrize("value", ["", "Support", "support ", "suppor", "*"])
def test_purpose_beside_the_list_is_not_on_it(value: str) -> None:
    assert found({"purpose": ["support"]}, asked(purpose=value)) == (Verdict.DENY, ["purpose_not_listed"])


@pytest.mark.parametrize("value", NO_WORD, ids=repr)
def test_owner_of_another_type_is_missing(value: Any) -> None:
    document = asked(action={"resource_tenant_id": value})

    assert found({"tenant_scope": True}, document) == (Verdict.DENY, ["resource_tenant_missing"])


@pytest.mark.parametrize("value", ["", TENANT.upper() + " ", TENANT[:-1], "*"])
def test_owner_beside_the_tenant_is_another(value: str) -> None:
    document = asked(action={"resource_tenant_id": value})

    assert found({"tenant_scope": True}, document) == (Verdict.DENY, ["resource_of_other_tenant"])


def test_record_of_nobody_belongs_to_no_nameless_tenant() -> None:
    document = asked(action={"resource_tenant_id": TENANT})
    del document["tenant_id"]

    assert found({"tenant_scope": True}, document) == (Verdict.DENY, ["resource_of_other_tenant"])


@pytest.mark.parametrize("place", ["model_region", "storage_region"])
@pytest.mark.parametrize("value", NO_WORD, ids=repr)
def test_region_of_another_type_is_missing(place: str, value: Any) -> None:
    document = asked(residency={"model_region": "eu", "storage_region": "eu", place: value})

    assert found({"residency": ["eu"]}, document) == (Verdict.DENY, ["region_missing"])


@pytest.mark.parametrize("place", ["model_region", "storage_region"])
@pytest.mark.parametrize("value", ["", "EU", "eu ", "e", "eu_central_1"])
def test_region_beside_the_list_is_not_on_it(place: str, value: str) -> None:
    document = asked(residency={"model_region": "eu", "storage_region": "eu", place: value})

    assert found({"residency": ["eu"]}, document) == (Verdict.DENY, ["region_not_listed"])


@pytest.mark.parametrize("value", [*NO_WORD, "", "Public", "support "], ids=repr)
def test_destination_that_is_none_is_not_listed(value: Any) -> None:
    document = asked(channel="internal", action={"destination": value})

    assert found({"channel_allowlist": ["public", "support"]}, document) == (
        Verdict.DENY,
        ["channel_not_listed"],
    )


@pytest.mark.parametrize("value", [*NO_WORD, "", "Public", "street"], ids=repr)
def test_channel_that_is_none_is_missing_wherever_the_message_goes(value: Any) -> None:
    document = asked(channel=value, action={"destination": "support"})

    assert found({"channel_allowlist": ["support"]}, document) == (Verdict.DENY, ["channel_missing"])


@pytest.mark.parametrize("value", NO_COUNT, ids=repr)
@pytest.mark.parametrize("above", ["deny", "approval_needed"])
def test_count_that_is_none_is_missing(value: Any, above: str) -> None:
    rate = {"at_most": 3, "per": "customer", "within": "1h", "above": above}

    assert found({"rate": rate}, asked(counters={COUNTER: {"count": value}})) == (
        Verdict.DENY,
        ["counter_missing"],
    )


@pytest.mark.parametrize(
    ("at_most", "count", "code"),
    [
        (0, 0, "rate_exceeded"),
        (1, 0, "allowed"),
        (1, 1, "rate_exceeded"),
        (3, 2, "allowed"),
        (3, 2.0, "allowed"),
        (3, 3, "rate_exceeded"),
        (1_000_000, 999_999, "allowed"),
        (1_000_000, 1_000_000, "rate_exceeded"),
    ],
)
def test_rate_at_its_limit_and_beside_it(at_most: int, count: float, code: str) -> None:
    rate = {"at_most": at_most, "per": "customer", "within": "1h"}

    assert found({"rate": rate}, asked(counters={COUNTER: {"count": count}}))[1] == [code]


@pytest.mark.parametrize(
    "counters", [None, [], "many", 3, {}, {COUNTER: 3}, {"reply.customer.3601": {"count": 0}}], ids=repr
)
def test_counters_that_are_none_are_missing(counters: Any) -> None:
    rate = {"at_most": 3, "per": "customer", "within": "1h"}

    assert found({"rate": rate}, asked(counters=counters)) == (Verdict.DENY, ["counter_missing"])


@pytest.mark.parametrize("value", NO_AMOUNT, ids=repr)
def test_amount_of_another_type_is_missing(value: Any) -> None:
    limited = policy(
        [{"when": {"actions": ["grant_credit"]}, "threshold": {"allow_up_to": {"EUR": "50.00"}}}],
        actions=CREDIT,
    )

    answered = decide(limited, asked("grant_credit", action={"amount": value}))

    assert (answered.verdict, codes(answered)) == (Verdict.DENY, ["amount_missing"])


@pytest.mark.parametrize("value", [each for each in NO_COUNT if each is not None], ids=repr)
def test_sum_of_a_window_that_is_none_is_missing(value: Any) -> None:
    limits = {"allow_up_to": {"EUR": "50.00"}, "per": "customer", "within": "1h"}
    limited = policy([{"when": {"actions": ["grant_credit"]}, "threshold": limits}], actions=CREDIT)
    counters = {"grant_credit.customer.3600": {"count": 1, "amounts": {"EUR": value}}}
    amount = {"minor_units": 1, "currency": "EUR"}

    answered = decide(limited, asked("grant_credit", action={"amount": amount}, counters=counters))

    assert (answered.verdict, codes(answered)) == (Verdict.DENY, ["counter_missing"])


@pytest.mark.parametrize("value", [None, False, 0, 1, "true", "", [], [True], {}], ids=repr)
@pytest.mark.parametrize("otherwise", ["deny", "approval_needed"])
def test_fact_that_is_not_true_is_not_fulfilled(value: Any, otherwise: str) -> None:
    needed = [{"fact": "requester_known", "code": "unknown_here", "otherwise": otherwise}]

    assert found({"require": needed}, asked(requester_known=value)) == (Verdict(otherwise), ["unknown_here"])


NEEDS: dict[str, Any] = {
    "channel_allowlist": ["public"],
    "hours": {"zone": "UTC", "open": {"daily": ["00:00-24:00"]}},
    "purpose": ["support"],
    "rate": {"at_most": 3, "per": "customer", "within": "1h"},
    "require": [{"fact": "consent.given", "code": "not_given"}],
    "residency": ["eu"],
    "tenant_scope": True,
    "threshold": {"allow_up_to": {"EUR": "50.00"}},
    "action_allowlist": ["reply"],
    "allow": True,
    "deny": True,
    "redact_fields": ["email"],
    "require_approval": {},
}


@pytest.mark.parametrize("name", PRIMITIVES)
@pytest.mark.parametrize(
    "document", ["{}", "[]", "null", "7", '"x"', '{"action": {"type": "reply"}}', "", "NaN", "{"]
)
def test_nothing_known_denies_whatever_a_rule_has(name: str, document: str) -> None:
    compiled = alone(policy([{"when": {"actions": ["reply"]}, name: NEEDS[name]}]))

    for engine in (regorus.RegorusEngine(compiled), PlainEngine(compiled)):
        assert engine.decide_document(document).verdict is Verdict.DENY
