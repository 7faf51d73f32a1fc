"""What the linter says of random policies is true of every answer to random and to made inputs."""

import json
import random
from collections import Counter
from typing import Any

import pytest

from adapters.policy.bundle import Bundle, Level
from adapters.policy.effective import Effective, effective, rule_name
from adapters.policy.lint import Finding, FindingCode, lint
from adapters.policy.linting._possible import implies, possible
from adapters.policy.plain import PlainEngine
from adapters.policy.situations import situations
from adapters.policy.smoke_functions import wrong_with
from adapters.policy.truth import truth
from domain.decision import EngineAnswer, Verdict
from tests.adapters.policy.deciding import policy
from tests.adapters.policy.test_levels import a_policy, an_input

POLICIES = 60
INPUTS = 60
SUPERFLUOUS = {FindingCode.DUPLICATE, FindingCode.OVERLAPPING}
DEAD = {FindingCode.UNREACHABLE, FindingCode.CONTRADICTORY}
DENIED = {FindingCode.ACTION_NOT_GRANTED, FindingCode.ACTION_UNUSED}
Levels = dict[Level, Bundle]


def levels_of(dice: random.Random) -> Levels:
    return {level: a_policy(dice) for level in Level if level is Level.TENANT or dice.random() < 0.4}


def without(levels: Levels, finding: Finding) -> Levels:
    bundle = levels[finding.level]
    rules = tuple(rule for rule in bundle.rules if rule.id != finding.rule)
    return {**levels, finding.level: bundle.model_copy(update={"rules": rules})}


def compiled(policy: Effective, finding: Finding) -> Any:
    rules: Any = policy.document["rules"]
    return next(rule for rule in rules if rule["id"] == rule_name(finding.level, finding.rule or ""))


def documents(dice: random.Random, policy: Effective) -> list[str]:
    made = [each.document for each in situations(policy)]
    return [json.dumps(an_input(dice)) for _ in range(INPUTS)] + dice.sample(made, min(INPUTS, len(made)))


def hold(levels: Levels, finding: Finding, asked: list[str]) -> bool:
    """Whether it is true of these inputs, as far as they can tell."""
    together = effective(levels)
    engine = PlainEngine(together)
    if finding.code is FindingCode.NEVER_TRUE:
        when = compiled(together, finding).get("when")
        return not any(truth(when, json.loads(document))[0] for document in asked)
    if finding.code in {FindingCode.GRANTS_NOTHING, FindingCode.ORGANISATION_GRANTS_NOTHING}:
        return all(engine.decide_document(document).verdict is Verdict.DENY for document in asked)
    if finding.code in DENIED:
        about = [each for each in asked if json.loads(each).get("action", {}).get("type") == finding.place[1]]
        return all(engine.decide_document(document).verdict is Verdict.DENY for document in about)
    if finding.code in DEAD | SUPERFLUOUS:
        weakened = PlainEngine(effective(without(levels, finding)))
        pairs = [(engine.decide_document(each), weakened.decide_document(each)) for each in asked]
        return all(_same(*pair) for pair in pairs)
    return True


def _same(one: EngineAnswer, other: EngineAnswer) -> bool:
    return one.verdict is other.verdict and one.obligations == other.obligations


CHECKED = {FindingCode.NEVER_TRUE, FindingCode.GRANTS_NOTHING, *DENIED, *DEAD, *SUPERFLUOUS}


@pytest.mark.parametrize("seed", range(4))
def test_what_is_said_of_random_policies_is_true_of_every_answer(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same cases on every run
    said: Counter[FindingCode] = Counter()
    for _ in range(POLICIES):
        levels = levels_of(dice)
        asked = documents(dice, effective(levels))
        for finding in lint(levels):
            said[finding.code] += finding.code in CHECKED
            assert hold(levels, finding, asked), (finding, effective(levels).content)

    assert said[FindingCode.UNREACHABLE] > 10
    assert said[FindingCode.OVERLAPPING] + said[FindingCode.DUPLICATE] > 5


@pytest.mark.parametrize("seed", range(2))
def test_random_policies_are_tried_without_complaint(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same cases on every run
    for _ in range(15):
        assert wrong_with(effective(levels_of(dice))) is None


COMPARISONS: list[dict[str, Any]] = [
    *(
        {"field": "ticket.turn", name: limit}
        for name in ("at_most", "more_than", "equals")
        for limit in (1, 2)
    ),
    {"field": "ticket.turn", "between": [1, 2]},
    *({"field": "action.amount", "at_most": {"EUR": limit}} for limit in ("1.00", "2.00")),
    {"field": "action.amount", "more_than": {"EUR": "1.00", "USD": "2.00"}},
    *({"field": "channel", "equals": word} for word in ("public", "internal")),
    {"field": "channel", "in": ["public", "internal"]},
    {"field": "ticket.intent", "equals": "aa"},
    {"field": "ticket.intent", "matches": "a+"},
    {"field": "ticket.intent", "exists": True},
    {"field": "requester_known", "equals": True},
    {"field": "action.zones", "subset_of": ["public"]},
    {"field": "action.zones", "subset_of": ["public", "internal"]},
    {"field": "action.zones", "contains_any": ["public", "customer"]},
]
VALUES: dict[str, list[Any]] = {
    "ticket": [{"turn": turn, "intent": intent} for turn in (0, 1, 2, 3) for intent in ("aa", "b", 7)] + [{}],
    "action": [
        {"amount": {"minor_units": units, "currency": currency}, "zones": zones}
        for units in (100, 101, 200, 201)
        for currency in ("EUR", "USD")
        for zones in ([], ["public"], ["internal"], ["public", "internal"], ["customer"])
    ]
    + [{}],
    "channel": ["public", "internal", None],
    "requester_known": [True, False, None],
}


def a_condition(dice: random.Random) -> Any:
    """Two or three comparisons that may exclude each other, compiled."""
    parts = [dice.choice(COMPARISONS) for _ in range(dice.randint(2, 3))]
    parts = [{"not": part} if dice.random() < 0.3 else part for part in parts]
    written = policy([{"when": {"condition": {dice.choice(["all", "all", "any"]): parts}}, "allow": True}])
    condition = written.rules[0].when.condition
    assert condition is not None
    return condition.clauses(written.fields)


def test_what_is_called_impossible_or_implied_is_so_for_every_value() -> None:
    dice = random.Random(7)  # noqa: S311 - the same cases on every run
    conditions = [a_condition(dice) for _ in range(150)]
    values = [{name: dice.choice(each) for name, each in VALUES.items()} for _ in range(1500)]
    true = [{nth for nth, value in enumerate(values) if truth(when, value)[0]} for when in conditions]
    impossible = [nth for nth, when in enumerate(conditions) if not any(map(possible, when))]
    implied = [
        (one, other)
        for one, narrow in enumerate(conditions)
        for other, wide in enumerate(conditions)
        if one != other and one not in impossible and implies(narrow, wide)
    ]

    assert len(impossible) > 10
    assert len(implied) > 100
    assert not any(true[nth] for nth in impossible)
    assert all(true[one] <= true[other] for one, other in implied)
