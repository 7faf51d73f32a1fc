"""Every rule is tried on both engines before its policy is put in force, in a child that may die of it."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.child_process import CallFailed, call_once
from adapters.policy.effective import Effective, alone
from adapters.policy.file import read_file
from adapters.policy.plain import PlainEngine
from adapters.policy.situations import MOST_COMPARISONS, situations
from adapters.policy.smoke import smoke
from adapters.policy.smoke_functions import wrong_with
from adapters.policy.tables import pack
from adapters.policy.truth import truth
from adapters.policy.witnesses import example, meet
from adapters.regorus import ENGINE_FAILED
from domain.decision import EngineAnswer, Verdict
from domain.errors import BundleRefused, ChildDied
from tests.adapters.policy.deciding import policy

SHOP = Path(__file__).parents[2] / "policy" / "retail.yaml"
FILES = {"support_default": pack("support_default"), "retail": pack("retail"), "shop_orders": SHOP}
ALL_DAY = {"zone": "Europe/Berlin", "open": {"weekdays": ["09:00-18:00"]}, "holidays": ["2026-12-25"]}


def spoilt(literal: dict[str, Any]) -> Effective:
    """A policy as nobody can write it, for what the file's own checks do not know yet."""
    written = alone(
        policy([{"when": {"condition": {"field": "ticket.intent", "matches": "a"}}, "allow": True}])
    )
    document: Any = copy.deepcopy(dict(written.document))
    document["rules"][0]["when"][0][0] |= literal
    return Effective(document, written.sources)


@pytest.mark.parametrize("name", FILES)
async def test_shipped_policies_are_tried_without_complaint(name: str) -> None:
    await smoke(alone(read_file(FILES[name])))


@pytest.mark.parametrize("name", FILES)
def test_every_rule_is_matched_and_decides_in_some_situation(name: str) -> None:
    written = alone(read_file(FILES[name]))
    rules: Any = written.document["rules"]
    engine = PlainEngine(written)
    matched, spoken = set(), set()
    for tried in situations(written):
        asked = json.loads(tried.document)
        matched |= {rule["id"] for rule in rules if truth(rule.get("when"), asked)[0]}
        spoken |= {reason.rule for reason in engine.decide_document(tried.document).reasons}

    assert matched >= {rule["id"] for rule in rules}
    assert spoken >= {rule["id"] for rule in rules}


@pytest.mark.parametrize(
    ("primitive", "codes"),
    [
        (
            {"threshold": {"allow_up_to": {"EUR": "50.00"}, "approval_up_to": {"EUR": "500.00"}}},
            {"within_limit", "above_limit_needs_approval", "over_limit", "amount_not_positive"},
        ),
        ({"rate": {"at_most": 3, "per": "ticket", "within": "1d"}}, {"rate_exceeded", "counter_missing"}),
        ({"hours": ALL_DAY}, {"outside_hours", "time_missing"}),
        ({"purpose": ["support"]}, {"purpose_not_listed", "purpose_missing"}),
        ({"residency": ["eu"]}, {"region_not_listed", "region_missing"}),
        ({"tenant_scope": True}, {"resource_of_other_tenant", "resource_tenant_missing"}),
        ({"channel_allowlist": ["internal"]}, {"channel_not_listed"}),
        ({"action_allowlist": ["refund"]}, {"action_listed", "action_not_listed"}),
        ({"require": [{"fact": "consent.given", "code": "no_consent"}]}, {"no_consent"}),
        ({"redact_fields": ["email"]}, {"fields_redacted"}),
    ],
)  # fmt: skip
def test_each_primitive_is_tried_at_and_around_its_limits(primitive: dict[str, Any], codes: set[str]) -> None:
    written = alone(policy([{"when": {"actions": ["private_note", "refund"]}, **primitive}, {"allow": True}]))
    engine = PlainEngine(written)

    found = {
        reason.code
        for each in situations(written)
        for reason in engine.decide_document(each.document).reasons
    }

    assert codes <= found


def test_missing_fields_are_tried() -> None:
    written = alone(
        policy([{"when": {"condition": {"field": "ticket.queue", "equals": "vip"}}, "allow": True}])
    )

    assert any("queue" not in json.loads(each.document)["ticket"] for each in situations(written))


def test_a_large_policy_is_tried_with_fewer_situations_that_match_every_rule() -> None:
    queues = [{"field": "ticket.queue", "equals": f"queue_{number // 2}"} for number in range(400)]
    many = alone(
        policy([{"when": {"actions": ["reply"], "condition": queue}, "allow": True} for queue in queues])
    )
    rules: Any = many.document["rules"]

    tried = [json.loads(each.document) for each in situations(many)]

    assert len(tried) <= MOST_COMPARISONS / 800
    assert all(any(truth(rule["when"], asked)[0] for asked in tried) for rule in rules)


async def test_a_rule_that_the_engine_cannot_answer_is_refused_by_its_name() -> None:
    with pytest.raises(BundleRefused, match="rule 'rule_0': the engine gives no answer"):
        await smoke(spoilt({"value": f"^(?:{'[a-z]{100}' * 18})$"}))


async def test_a_policy_for_which_no_input_can_be_made_is_refused() -> None:
    with pytest.raises(BundleRefused, match="did not survive the trial of its rules"):
        await smoke(spoilt({"op": "never_heard_of"}))


async def test_a_trial_that_takes_too_long_is_refused() -> None:
    with pytest.raises(BundleRefused, match="not tried within 0 seconds"):
        await smoke(alone(read_file(FILES["retail"])), deadline_s=0.001)


class Mild:
    """An engine that allows everything."""

    def decide_document(self, document: str) -> EngineAnswer:  # noqa: ARG002 - the port
        return EngineAnswer(verdict=Verdict.ALLOW, reasons=())


class Broken:
    def decide_document(self, document: str) -> EngineAnswer:  # noqa: ARG002 - the port
        return ENGINE_FAILED


@pytest.mark.parametrize(
    ("engine", "said"), [(Mild(), "the engines answer differently"), (Broken(), "the engine gives no answer")]
)
def test_engines_that_disagree_or_fail_are_told_apart(engine: Any, said: str) -> None:
    written = alone(read_file(FILES["support_default"]))

    assert said in str(wrong_with(written, rego=lambda _: engine))


async def test_a_child_that_takes_too_much_memory_fails_alone() -> None:
    child = "tests.adapters.policy.hungry_child"

    assert await call_once(child, "take", 50, deadline_s=30) == 50 * 1024**2
    with pytest.raises(CallFailed):
        await call_once(child, "take", 2000, deadline_s=30)


async def test_a_child_that_dies_is_an_answer_too() -> None:
    with pytest.raises(ChildDied):
        await call_once("tests.adapters.light_child", "die", "", deadline_s=30)


@pytest.mark.parametrize("pattern", ["refund_[a-z]+", "(ab|cd){2,3}x?", "[^a-z]{2}.", "^[0-9A-F]{4}$"])
def test_patterns_have_an_example(pattern: str) -> None:
    literal = {
        "op": "matches",
        "value": f"^(?:{pattern})$",
        "type": "text",
        "path": ["word"],
        "negated": False,
    }
    document: dict[str, Any] = {}

    assert meet(document, [{**literal, "field": "word"}])
    assert document["word"] == example(pattern)
