"""One past decision under another policy: what it was, what it would be, which rules make the difference.

The plain engine decides, because it tells what each rule found and is quick; what it finds to be different
from the record, or from one policy to the other, the engine that decides for tenants decides again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from adapters.policy.effective import Effective
from adapters.policy.lacking import Lack, Lacking
from adapters.policy.plain import Finding, PlainEngine
from adapters.policy.reading import Json
from adapters.regorus import RegorusEngine
from domain.decision import EngineAnswer, Verdict, strictest


class Outcome(StrEnum):
    """What a candidate makes of a past decision."""

    SAME = "same"
    FLIPS = "flips"
    UNKNOWN = "unknown"  # it asks for what the input does not have


@dataclass(frozen=True)
class Past:
    """What was recorded. `text` is the whole input as JSON, `document` the same read."""

    text: str
    document: Json
    answer: EngineAnswer


@dataclass(frozen=True)
class Redecided:
    """A past decision beside what a candidate answers."""

    outcome: Outcome
    before: EngineAnswer  # by the policy of that time, with the library of today
    after: EngineAnswer
    lacking: frozenset[str]
    reproduced: bool | None = (
        None  # whether `before` is what was recorded; None where that policy is not kept
    )
    held: frozenset[str] = frozenset()  # rules marked `must_hold` that say something else

    @property
    def rules(self) -> Sequence[str]:
        """Which rules decide now and did not, or did and do not."""
        then = {(reason.rule, reason.code) for reason in self.before.reasons}
        now = {(reason.rule, reason.code) for reason in self.after.reasons}
        return sorted({rule for rule, _ in then ^ now} or {rule for rule, _ in now})


class Judge:
    """One policy, ready to decide past inputs. Bound to its thread, as its engine is."""

    def __init__(self, policy: Effective) -> None:
        self.policy = policy
        self._engine = RegorusEngine(policy)
        self._plain = PlainEngine(policy)
        self.lacking = Lacking(policy)

    @cached_property
    def must_hold(self) -> frozenset[str]:
        """Names of the rules that are marked."""
        rules: Any = self.policy.document["rules"]
        return frozenset(rule["id"] for rule in rules if rule.get("must_hold"))

    def findings(self, past: Past) -> Sequence[Finding]:
        """Decisive or not."""
        return self._plain.findings(past.document)

    def answer(self, past: Past, found: Sequence[Finding]) -> EngineAnswer:
        """What the findings come to."""
        return self._plain.answer(past.document, found)

    def confirmed(self, past: Past) -> EngineAnswer:
        """By the engine that decides for tenants. Never raises."""
        return self._engine.decide_document(past.text)


def redecide(past: Past, then: Judge | None, candidate: Judge) -> Redecided:
    """`then` is the policy of that time; None where it is not kept, and the recorded answer stands for it."""
    found, finds = then.findings(past) if then else (), candidate.findings(past)
    before = _as_recorded(past, then, found)
    after = candidate.answer(past, finds)
    if not same(before, after):
        after = candidate.confirmed(past)
    reproduced = same(before, past.answer) if then else None
    decided = _weighed(past, before, after, candidate, finds)
    changed = frozenset(_changed(then, candidate, found, finds)) - set(candidate.lacking.rules(past.document))
    marked = then.must_hold if then else frozenset[str]()
    return replace(decided, reproduced=reproduced, held=changed | _decisive(decided, candidate, marked))


def beside(past: Past, after: EngineAnswer, candidate: Judge) -> Redecided:
    """What was decided just now beside what a candidate has answered about the same."""
    decided = _weighed(past, past.answer, after, candidate, None)
    return replace(decided, held=_decisive(decided, candidate, frozenset()))


def _weighed(
    past: Past, before: EngineAnswer, after: EngineAnswer, candidate: Judge, finds: Sequence[Finding] | None
) -> Redecided:
    lacking = candidate.lacking.rules(past.document)
    unknown = bool(lacking) and not _refused_anyway(
        past, candidate, candidate.findings(past) if finds is None else finds, lacking
    )
    known = Outcome.SAME if same(before, after) else Outcome.FLIPS
    return Redecided(
        outcome=Outcome.UNKNOWN if unknown else known,
        before=before,
        after=after,
        lacking=frozenset[str]().union(*(each.fields for each in lacking.values() if unknown)),
    )


def _as_recorded(past: Past, then: Judge | None, found: Sequence[Finding]) -> EngineAnswer:
    if then is None:
        return past.answer
    before = then.answer(past, found)
    return before if same(before, past.answer) else then.confirmed(past)


def same(one: EngineAnswer, other: EngineAnswer) -> bool:
    """The same verdict, and the same is asked of people and of what leaves."""
    return one.verdict is other.verdict and one.obligations == other.obligations


def _refused_anyway(
    past: Past, candidate: Judge, finds: Sequence[Finding], lacking: Mapping[str, Lack]
) -> bool:
    """Whether something that lacks nothing refuses it: then nothing else can make the answer milder."""
    return candidate.lacking.refuses_anyway(past.document, lacking) or any(
        each.verdict is Verdict.DENY and each.rule not in lacking and each.rule != "default" for each in finds
    )


def _changed(
    then: Judge | None, candidate: Judge, found: Sequence[Finding], finds: Sequence[Finding]
) -> Iterator[str]:
    """Marked rules that found something then and find something else, or nothing, now."""
    if then is None or not (then.must_hold | candidate.must_hold):
        return
    before, after = _by_rule(found), _by_rule(finds)
    for rule in then.must_hold | (candidate.must_hold & set(before)):
        if before.get(rule) is not after.get(rule):
            yield rule


def _by_rule(findings: Sequence[Finding]) -> Mapping[str, Verdict]:
    verdicts: dict[str, Verdict] = {}
    for each in findings:
        verdicts[each.rule] = strictest(each.verdict, verdicts.get(each.rule, each.verdict))
    return verdicts


def _decisive(decided: Redecided, candidate: Judge, marked: frozenset[str]) -> frozenset[str]:
    """Marked rules among those that decide a flip, on either side."""
    if decided.outcome is not Outcome.FLIPS:
        return frozenset()
    reasons = (*decided.before.reasons, *decided.after.reasons)
    return (candidate.must_hold | marked) & {reason.rule for reason in reasons}
