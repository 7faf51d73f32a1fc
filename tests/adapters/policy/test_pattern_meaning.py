"""A pattern that is accepted means the same to every engine, about the whole value, and is quick."""

import json
import random
import time

import pytest

from adapters import regorus
from adapters.policy.effective import alone
from adapters.policy.plain import PlainEngine
from domain.errors import BundleRefused
from tests.adapters.policy.deciding import asked, codes, decide, policy

PIECES = [
    *"ab01 .-_[]^$(){}|*+?,&~\\/",
    *[
        "[a-z]",
        "[^a]",
        "[0-9]{2}",
        "(a|b)",
        "(?:",
        "(?i)",
        "a{2}",
        "a{1,3}",
        "\\.",
        "\\d",
        "\\b",
        "[[:alpha:]]",
    ],
]
VALUES = [
    "",
    "a",
    "ab",
    "aab",
    "A",
    "01",
    "a.b",
    "é",
    "a\n",
    "\n",
    "-",
    "[",
    "a{",
    "b01",
    "a b",
    "😀",
    "^",
    "$",
]


def matching(pattern: str) -> dict[str, object]:
    condition = {"field": "ticket.intent", "matches": pattern}
    return {"when": {"actions": ["reply"], "condition": condition}, "allow": True}


@pytest.mark.parametrize("seed", range(2))
def test_every_pattern_that_is_accepted_means_one_thing(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same cases on every run
    accepted = 0

    for _ in range(300):
        pattern = "".join(dice.choices(PIECES, k=dice.randint(1, 6)))
        try:
            compiled = alone(policy([matching(pattern)]))
        except BundleRefused:
            continue
        accepted += 1
        rego, plain = regorus.RegorusEngine(compiled), PlainEngine(compiled)
        for value in VALUES:
            document = json.dumps(asked(ticket={"intent": value}))
            answered = rego.decide_document(document)
            assert answered == plain.decide_document(document), (pattern, value)
            assert codes(answered) in (["allowed"], ["not_covered"]), (pattern, value)

    assert accepted > 40


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("ab", "ab", True),
        ("ab", "abc", False),
        ("ab", "cab", False),
        ("^ab$", "ab", True),
        ("a|b", "b", True),
        ("^a|b$", "ab", False),
        ("ord-[0-9]{4,6}", "ord-12345", True),
        ("ord-[0-9]{4,6}", "ord-123", False),
        ("[A-Z]{2}[0-9]+", "DE12", True),
        ("[A-Z]{2}[0-9]+", "de12", False),
        ("(late|damaged)_[a-z]+", "late_parcel", True),
        ("a\\.b", "a.b", True),
        ("a\\.b", "axb", False),
        ("5\\$", "5$", True),
        ("a.b", "a\nb", False),
        ("[^a]", "é", True),
    ],
)
def test_pattern_is_about_the_whole_value(pattern: str, value: str, matches: bool) -> None:  # noqa: FBT001
    answered = decide(policy([matching(pattern)]), asked(ticket={"intent": value}))

    assert codes(answered) == (["allowed"] if matches else ["not_covered"])


REFUSED = [
    ".{100}",
    "[^a]{100}",
    "a{101}",
    "[a-z]{100}[a-z]{100}[a-z]{100}[a-z]{100}[a-z]{100}[a-z]{100}[a-z]{100}[a-z]{100}[a-z]{100}",
    "(a*)*b",
    "(a|a)*b",
    ".*.*.*.*.*.*.*.*x",
    *[
        "(?i)a",
        "(?=a)",
        "(?P<n>a)",
        "(?#c)",
        "\\d",
        "\\w",
        "\\bfoo",
        "\\1",
        "[\\d]",
        "a*?",
        "a++",
        "a$b",
        "(^a)",
    ],
    *["[[:alpha:]]", "[a[b]", "[a&&b]", "[a--b]", "a{", "a}", "{,3}", "a{b}", "[a", "(a", "é", "a\n", "a\\"],
    "a" * 201,
]


@pytest.mark.parametrize("pattern", REFUSED)
def test_other_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(BundleRefused) as refused:
        policy([matching(pattern)])

    assert "rules.0.when.condition.matches: " in str(refused.value)


@pytest.mark.parametrize("pattern", [".*[a-z]*x", "[ab]*[bc]*x", ".{0,49}x", "(a|b){1,9}x"])
def test_hardest_pattern_that_is_accepted_is_quick(pattern: str) -> None:
    engine = PlainEngine(alone(policy([matching(pattern)])))
    document = json.dumps(asked(ticket={"intent": "a" * 128}))
    began = time.process_time()

    assert codes(engine.decide_document(document)) == ["not_covered"]

    assert time.process_time() - began < 1
