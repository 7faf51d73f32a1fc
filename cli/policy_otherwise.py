"""In sentences: which other amount, and which single other fact, would have given another answer."""

from collections.abc import Iterator

from adapters.policy.effective import Effective
from adapters.policy.otherwise import Different, Range, other_amounts, other_facts
from adapters.policy.reading import Json
from api import words
from api.input_words import LABELS
from domain.decision import Verdict
from domain.fact import Money

ANSWERS = {
    Verdict.ALLOW: "it goes out by itself",
    Verdict.SANITIZE: "it goes out without personal data",
    Verdict.APPROVAL_NEEDED: "a person is asked",
    Verdict.DENY: "it is refused",
}
VALUES = {"mode": "Automate", "ticket.owner": "Automation"}


def what_would_change(policy: Effective, document: Json) -> Iterator[str]:
    """Each was tried by deciding again. Says so where nothing of it changes the answer."""
    said = [
        *map(_amount, _worth_telling(policy, document)),
        *map(_fact, other_facts(policy, document)),
    ]
    yield from said or ["No other amount and no single other fact that was tried."]


def _worth_telling(policy: Effective, document: Json) -> list[Range]:
    ranges = list(other_amounts(policy, document))
    return ranges if len(ranges) > 1 else []


def _amount(range_: Range) -> str:
    answer = ANSWERS[range_.verdict] + (f" ({range_.why})" if range_.verdict is Verdict.DENY else "")
    most = None if range_.most is None else Money(minor_units=range_.most, currency=range_.currency)
    above = Money(minor_units=range_.above, currency=range_.currency)
    if most is None:
        return f"Above {above}, {answer}."
    return f"Up to {most}, {answer}." if range_.above == 0 else f"Above {above} and up to {most}, {answer}."


def _fact(different: Different) -> str:
    answer = ANSWERS[different.verdict]
    if different.removed is not None:
        return f"Without the risk signal {words.words(different.removed)!r}, {answer}."
    label = LABELS.get(different.field, words.words(different.field))
    return f"With {label!r} being {VALUES.get(different.field, 'Yes')}, {answer}."
