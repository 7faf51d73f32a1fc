"""One native engine answers for every policy, and none leaves anything behind for the next."""

import gc
import json
import random
from typing import Any

import pytest
from pydantic import JsonValue

from adapters import regorus
from adapters.active_policies import load
from adapters.policy.effective import Effective, alone
from adapters.policy.kept import KeptPolicy
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
    prepared, failing = regorus._engines()._prepared, regorus._engines()._answering

    verdict(unreadable({"when": broken_pattern()}), asked())
    verdict(opening("reply"), asked())

    assert regorus._engines()._prepared is prepared
    assert regorus._engines()._answering is not failing


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
    kept = KeptPolicy(
        alone(
            policy([
                {"when": {"actions": ["reply"]}, "allow": True},
                {"purpose": ["support"]},
                {"when": {"actions": ["refund"]}, "deny": True},
                {"when": {"actions": ["refund", "reply"]}, "require_approval": {}},
            ])
        )
    )  # fmt: skip

    cut = json.loads(kept.about("reply"))

    assert [rule["id"] for rule in cut["rules"]] == ["rule_0", "rule_1", "rule_3"]
    assert cut["levels"][0]["rules_of"] == {"reply": [0, 2], "*": [1]}
    assert set(cut["declared"]) == {"reply"}


@pytest.mark.parametrize("action", [None, 7, "unheard_of", "*", ["reply"]])
def test_what_is_no_action_of_the_policy_gets_one_cut_that_declares_nothing(action: object) -> None:
    kept = KeptPolicy(opening("reply"))

    assert json.loads(kept.about(action))["declared"] == {}
    assert kept.about(action) is kept.about("another")


def test_kept_policies_give_the_collector_of_garbage_little_to_walk_through() -> None:
    written = policy([{"when": {"actions": ["reply"]}, "allow": True} for _ in range(9)])
    RegorusEngine(alone(written)).decide_document(json.dumps(asked()))
    gc.collect()
    before = len(gc.get_objects())

    kept = [RegorusEngine(alone(written)) for _ in range(20)]
    for engine in kept:
        engine.decide_document(json.dumps(asked()))
    gc.collect()

    assert len(gc.get_objects()) - before < 10 * len(kept)


async def test_loading_asks_nothing_because_a_decision_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []
    monkeypatch.setattr(RegorusEngine, "decide_document", lambda _, document: questions.append(document))

    await load(alone(policy([{"allow": True}])))

    assert questions == []


async def test_policy_that_cannot_answer_denies_again_and_again() -> None:
    broken = unreadable({"when": broken_pattern()})

    for _ in range(2):
        engine = await load(broken)
        assert isinstance(engine, RegorusEngine)
        assert engine.decide_document(json.dumps(asked())) == ENGINE_FAILED
