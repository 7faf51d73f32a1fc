"""One native engine answers for every policy, and none leaves anything behind for the next."""

import json
import random
from typing import Any

import pytest
from pydantic import JsonValue

from adapters import regorus
from adapters.policy.cuts import Cuts
from adapters.policy.effective import Effective, alone
from adapters.policy.plain import PlainEngine
from adapters.regorus import ENGINE_FAILED, RegorusEngine
from domain.decision import Verdict
from tests.adapters.policy.deciding import asked, policy

ALLOW, DENY = Verdict.ALLOW, Verdict.DENY
ACTIONS = ("reply", "private_note", "add_tags")


def opening(*actions: str) -> Effective:
    return alone(policy([{"when": {"actions": [*actions]}, "allow": True}]))


def unreadable(rule: dict[str, Any]) -> Effective:
    """Compiled by nobody: the file's checks would refuse it."""
    rules: list[JsonValue] = [{"id": "broken", "level": 0, "allow": True, **rule}]
    level: JsonValue = {"default": "deny", "rules_of": {"*": [0]}, "arguments": {}, "max_chain": 3}
    return Effective({"levels": [level], "rules": rules, "declared": {"reply": {}}, "counters": []}, {})


def broken_pattern() -> list[list[dict[str, Any]]]:
    literal = {"field": "mode", "path": ["mode"], "type": "text", "op": "matches", "value": "("}
    return [[{**literal, "negated": False}]]


def verdict(policy_: Effective, document: dict[str, Any]) -> Verdict:
    return RegorusEngine(policy_).decide_document(json.dumps(document)).verdict


def test_policies_that_take_turns_in_the_engine_are_decided_each_as_by_itself() -> None:
    dice = random.Random(0)  # noqa: S311 - the same order on every run
    kept = [opening(*dice.sample(ACTIONS, dice.randint(1, 2))) for _ in range(30)]
    engines = [(RegorusEngine(each), PlainEngine(each)) for each in kept]
    document = json.dumps(asked("private_note", channel="internal"))

    turns = [dice.choice(engines) for _ in range(1000)]
    answers = [(rego.decide_document(document), plain.decide_document(document)) for rego, plain in turns]

    assert [rego for rego, _ in answers] == [plain for _, plain in answers]
    assert {rego.verdict for rego, _ in answers} == {ALLOW, DENY}


def test_failure_in_the_middle_of_a_decision_leaves_nothing_for_the_next_policy() -> None:
    broken = RegorusEngine(unreadable({"when": broken_pattern()}))

    assert broken.decide_document(json.dumps(asked())) == ENGINE_FAILED

    assert verdict(opening("private_note"), asked()) is DENY
    assert verdict(opening("reply"), asked()) is ALLOW


def test_a_failed_engine_is_thrown_away_and_the_next_needs_no_preparation() -> None:
    verdict(opening("reply"), asked())
    prepared, failing = regorus._ENGINES._prepared, regorus._ENGINES._answering

    verdict(unreadable({"when": broken_pattern()}), asked())
    verdict(opening("reply"), asked())

    assert regorus._ENGINES._prepared is prepared
    assert regorus._ENGINES._answering is not failing


@pytest.mark.parametrize(
    ("document", "note"),
    [
        ('{"policy": {}, "asked": {}}', "a question of its own"),
        ('{}, "policy": {"levels": []}', "more than one value"),
        ('{"action": {"type": "reply"}}}', "an end too many"),
        ('{"a": 1}, "asked": ' + json.dumps(asked("reply")), "another input behind the first"),
    ],
)
def test_document_cannot_bring_a_policy_along(document: str, note: str) -> None:
    assert RegorusEngine(opening("private_note")).decide_document(document).verdict is DENY, note


def test_action_that_two_readers_read_differently_is_denied() -> None:
    whole = json.dumps(asked("reply"))
    action = '"action": {"type": "private_note"}'

    for twice in (f"{{{action}, {whole[1:]}", f"{whole[:-1]}, {action}}}"):
        answered = RegorusEngine(opening("private_note", "reply")).decide_document(twice)
        assert answered.verdict in {ALLOW, DENY}
        assert RegorusEngine(opening("add_tags")).decide_document(twice).verdict is DENY


def test_cut_has_the_rules_of_its_action_and_of_all_in_their_order() -> None:
    cuts = Cuts(
        alone(
            policy([
                {"when": {"actions": ["reply"]}, "allow": True},
                {"purpose": ["support"]},
                {"when": {"actions": ["refund"]}, "deny": True},
                {"when": {"actions": ["refund", "reply"]}, "require_approval": {}},
            ])
        ).document
    )  # fmt: skip

    cut = json.loads(cuts.about("reply"))

    assert [rule["id"] for rule in cut["rules"]] == ["rule_0", "rule_1", "rule_3"]
    assert cut["levels"][0]["rules_of"] == {"reply": [0, 2], "*": [1]}
    assert set(cut["declared"]) == {"reply"}


@pytest.mark.parametrize("action", [None, 7, "unheard_of", "*", ["reply"]])
def test_what_is_no_action_of_the_policy_gets_one_cut_that_declares_nothing(action: object) -> None:
    cuts = Cuts(opening("reply").document)

    assert json.loads(cuts.about(action))["declared"] == {}
    assert cuts.about(action) is cuts.about("another")
