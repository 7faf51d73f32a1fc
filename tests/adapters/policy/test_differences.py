"""Differences of two policy files are told field by field, as authors write them."""

import json
import random
from typing import Any

import pytest

from adapters.policy.bundle import Bundle
from adapters.policy.differences import DifferenceKind, differences
from tests.adapters.policy.deciding import policy
from tests.adapters.policy.stricter_documents import a_document
from tests.adapters.policy.stricter_rows import AGENTS, CREDIT, LIMITS, OFFICE, REFUNDS, TERMS, TURNS, replies

AGREED = {"fact": "consent.given", "code": "asked"}
Rules = list[dict[str, Any]]


def said(before: Bundle, after: Bundle) -> list[str]:
    return [each.said() for each in differences(before, after)]


def limits(allowed: str) -> dict[str, Any]:
    return {**REFUNDS, "threshold": {**LIMITS, "allow_up_to": {"EUR": allowed}}}


ROWS: list[tuple[str, Rules, Rules, list[str]]] = [
    (
        "an amount",
        [limits("50.00")],
        [limits("20")],
        ['rule rule_0: threshold.allow_up_to.EUR: "50.00" → "20.00"'],
    ),
    (
        "a rule that came",
        [],
        [replies()],
        ['rule rule_0 is new: {"when": {"actions": ["reply"]}, "allow": true}'],
    ),
    ("a rule that went", [REFUNDS, {"deny": True}], [REFUNDS], ['rule rule_1 is gone: {"deny": true}']),
    ("a name", [{"id": "a", **REFUNDS}], [{"id": "b", **REFUNDS}], ["rule a is now called b"]),
    (
        "another condition",
        [{"when": {"condition": TURNS}, "allow": True}],
        [{"when": {"condition": {"not": TURNS}}, "allow": True}],
        [
            ('rule rule_0: when.condition: {"field": "ticket.turn", "at_most": 3} → '
'{"not": {"field": "ticket.turn", "at_most": 3}}')
        ],
    ),
    (
        "a name and what it is for",
        [{"id": "small", **REFUNDS}],
        [{"id": "little", "description": "Small ones", **REFUNDS}],
        ["rule small is now called little", 'rule little: description: "" → "Small ones"'],
    ),
    (
        "a primitive",
        [replies()],
        [replies(hours=OFFICE)],
        [
            ('rule rule_0: hours: not there → {"zone": "Europe/Berlin", '
'"open": {"weekdays": ["09:00-17:00"]}, "holidays": ["2026-12-25"]}')
        ],
    ),
    (
        "office hours",
        [replies(hours=OFFICE)],
        [replies(hours={**OFFICE, "open": {"weekdays": ["09:00-17:30"]}})],
        ['rule rule_0: hours.open.weekdays: ["09:00-17:00"] → ["09:00-17:30"]'],
    ),
    (
        "a default that is written out",
        [replies(require_approval=TERMS, hours=OFFICE)],
        [replies(require_approval={**TERMS, "forbid_self": True}, hours={**OFFICE, "outside": "deny"})],
        [],
    ),
    (
        "a default that is left",
        [replies(require_approval=TERMS)],
        [replies(require_approval={**TERMS, "forbid_self": False, "expires_in": "2d"})],
        [
            'rule rule_0: require_approval.expires_in: "1d" → "2d"',
            "rule rule_0: require_approval.forbid_self: true → false",
        ],
    ),
    (
        "a list in another order",
        [replies(purpose=["support", "training"])],
        [replies(purpose=["training", "support"])],
        [],
    ),
    (
        "a longer list",
        [replies(purpose=["support"])],
        [replies(purpose=["support", "training"])],
        ['rule rule_0: purpose: ["support"] → ["support", "training"]'],
    ),
    (
        "a requirement among others",
        [replies(require=[AGREED, {"condition": TURNS, "code": "early"}])],
        [replies(require=[AGREED, {"condition": {**TURNS, "at_most": 4}, "code": "early"}])],
        ["rule rule_0: require.1.condition.at_most: 3 → 4"],
    ),
    ("a mark", [REFUNDS], [{"must_hold": True, **REFUNDS}], ["rule rule_0: must_hold: false → true"]),
    ("the order of rules", [{"id": "a", **REFUNDS}, {"id": "b", **replies()}],
     [{"id": "b", **replies()}, {"id": "a", **REFUNDS}], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "wanted"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
async def test_difference_of_rules_is_told(before: Rules, after: Rules, wanted: list[str]) -> None:
    assert said(policy(before), policy(after)) == wanted


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ({"default": None}, {"default": "deny"}, []),
        ({"default": None}, {"default": "approval_needed"}, ['default: "deny" → "approval_needed"']),
        ({"approval": TERMS}, {"approval": {**TERMS, "quorum": 1}}, ["approval.quorum: 2 → 1"]),
        (
            {"agents": {"lead": AGENTS["lead"]}},
            {"agents": AGENTS},
            [
                (
                    'agents.helper: not there → {"permission_level": "draft", "parent": "lead", '
                    '"actions": ["reply"]}'
                )
            ],
        ),
        (
            {"actions": {"give": CREDIT}},
            {"actions": {"give": {**CREDIT, "band": "low"}}},
            ['actions.give.band: "medium" → "low"'],
        ),
        ({"facts": {}}, {"facts": {"order.paid": "amount"}}, ['facts.order.paid: not there → "amount"']),
    ],
)
async def test_difference_outside_of_rules_is_told(
    before: dict[str, Any], after: dict[str, Any], wanted: list[str]
) -> None:
    assert said(policy([REFUNDS], **before), policy([REFUNDS], **after)) == wanted


async def test_two_rules_that_swap_their_bodies_are_two_changes_and_no_renaming() -> None:
    before = policy([{"id": "a", "allow": True}, {"id": "b", "deny": True}])
    after = policy([{"id": "a", "deny": True}, {"id": "b", "allow": True}])

    found = differences(before, after)

    assert {each.kind for each in found} == {DifferenceKind.ADDED, DifferenceKind.REMOVED}
    assert {(each.rule, each.path) for each in found} == {
        (rule, part) for rule in "ab" for part in ("allow", "deny")
    }


async def test_one_of_two_equal_rules_is_renamed_once() -> None:
    before = policy([{"id": "a", "deny": True}, {"id": "b", "deny": True}])
    after = policy([{"id": "b", "deny": True}, {"id": "c", "deny": True}])

    assert said(before, after) == ["rule a is now called c"]


@pytest.mark.parametrize("seed", range(2))
async def test_nothing_is_told_of_what_says_the_same_and_something_of_all_else(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same cases on every run
    for _ in range(100):
        one, other = (Bundle.model_validate_json(json.dumps(a_document(dice))) for _ in range(2))
        again = Bundle.model_validate_json(json.dumps(one.content()))

        assert differences(one, again) == ()
        assert bool(differences(one, other)) == (_unordered(one) != _unordered(other))


def _unordered(bundle: Bundle) -> str:
    content: Any = bundle.content()
    content["rules"] = {rule["id"]: rule for rule in content.get("rules", [])}
    return json.dumps(_sorted({"default": "deny", **content}), sort_keys=True)


def _sorted(said_: Any) -> Any:
    if isinstance(said_, dict):
        return {name: _sorted(each) for name, each in said_.items()}
    if isinstance(said_, list):
        parts = [_sorted(each) for each in said_]
        return sorted(set(parts)) if all(isinstance(each, str) for each in parts) else parts
    return said_
