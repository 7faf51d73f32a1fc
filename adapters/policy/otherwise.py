"""What would have changed an answer: the input is changed in one place and decided again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import JsonValue

from adapters.policy.effective import Effective
from adapters.policy.plain import PlainEngine
from adapters.policy.reading import Json, at, money, whole, word
from domain.decision import Verdict

Path = tuple[str, ...]
Document = dict[str, JsonValue]

# Facts whose other value makes an answer milder. Signals are taken away one by one.
MILDER: Mapping[Path, JsonValue] = {
    ("mode",): "automate",
    ("ticket", "owner"): "automation",
    ("requester_known",): True,
    ("order", "owner_is_requester"): True,
    ("order", "delivered"): True,
}
SIGNALS = ("ticket", "signals")


@dataclass(frozen=True)
class Range:
    """Amounts above `above` up to `most`, in minor units; `most` None has no end. `why` in words."""

    above: int
    most: int | None
    currency: str
    verdict: Verdict
    why: str


@dataclass(frozen=True)
class Different:
    """One field with another value. `removed` names the signal that is taken away."""

    field: str
    verdict: Verdict
    removed: str | None = None


def other_amounts(policy: Effective, document: Json) -> Sequence[Range]:
    """Every range of amounts with its answer, the amount's own range included. Empty without a threshold."""
    checks = [check for _, check in _thresholds(policy, document)]
    paths = {tuple(check["path"]) for check in checks}
    if len(paths) != 1:
        return ()
    (path,) = paths
    amount = money(at(document, *path))
    if amount is None:
        return ()
    currency = amount[1]
    ends = sorted(
        {end for check in checks for end in _ends(check, document, currency)} | _left(document, currency)
    )
    engine = PlainEngine(policy)

    def decided(above: int, most: int | None) -> Range:
        value: JsonValue = {"minor_units": most or above + 1, "currency": currency}
        answer = engine.decide_document(json.dumps(_with(document, path, value)))
        return Range(above, most, currency, answer.verdict, "; ".join(answer.messages))

    begins: list[int] = [0, *ends]
    return _joined(list(map(decided, begins, [*ends, None]))) if ends else ()


def other_facts(policy: Effective, document: Json) -> Iterator[Different]:
    """Single facts that would have given another answer."""
    engine = PlainEngine(policy)
    own = _verdict(engine, document)
    for path, value in {**MILDER, **dict.fromkeys(_required_flags(policy, document), True)}.items():
        parent = at(document, *path[:-1])
        if at(document, *path) == value or (path in MILDER and not isinstance(parent, Mapping)):
            continue
        verdict = _verdict(engine, _with(document, path, value))
        if verdict is not own:
            yield Different(".".join(path), verdict)
    signals = at(document, *SIGNALS)
    for signal in signals if isinstance(signals, list) else ():
        verdict = _verdict(engine, _with(document, SIGNALS, [each for each in signals if each != signal]))
        if verdict is not own:
            yield Different(".".join(SIGNALS), verdict, removed=str(signal))


def _thresholds(policy: Effective, document: Json) -> Iterator[tuple[str, Any]]:
    for rule in _rules(policy, document):
        if "threshold" in rule:
            yield rule["id"], rule["threshold"]


def _required_flags(policy: Effective, document: Json) -> Iterator[Path]:
    for rule in _rules(policy, document):
        for requirement in rule.get("require", ()):
            for literal in (each for clause in requirement["when"] for each in clause):
                if literal["op"] == "equals" and literal["value"] is True and not literal["negated"]:
                    yield tuple(literal["path"])


def _rules(policy: Effective, document: Json) -> Iterator[Any]:
    """Of every level, about the document's action."""
    action = word(at(document, "action", "type"))
    compiled: Any = policy.document
    for level in compiled["levels"]:
        for number in (*level["rules_of"].get(action, ()), *level["rules_of"].get("*", ())):
            yield compiled["rules"][number]


def _ends(check: Any, document: Json, currency: str) -> Iterator[int]:
    """Limits of this amount: what left in the window before has used up a part of them."""
    counter = check.get("counters", {}).get(at(document, "action", "type"))
    before = whole(at(document, "counters", counter, "amounts", currency)) or 0 if counter else 0
    for name in ("allow_up_to", "approval_up_to"):
        limit = check[name].get(currency)
        if limit is not None and limit > before:
            yield limit - before


def _left(document: Json, currency: str) -> set[int]:
    """What is left to refund is a limit too, whatever a policy says."""
    left = money(at(document, "order", "refundable"))
    refund = at(document, "action", "type") == "refund"
    return {left[0]} if refund and left is not None and left[1] == currency and left[0] > 0 else set()


def _joined(ranges: Sequence[Range]) -> Sequence[Range]:
    """Neighbours with one answer are one range."""
    joined: list[Range] = []
    for each in ranges:
        if joined and joined[-1].verdict is each.verdict:
            joined[-1] = replace(joined[-1], most=each.most)
        else:
            joined.append(each)
    return joined


def _verdict(engine: PlainEngine, document: Json) -> Verdict:
    return engine.decide_document(json.dumps(document)).verdict


def _with(document: Json, path: Path, value: JsonValue) -> Document:
    copy: Document = json.loads(json.dumps(document))
    place: Any = copy
    for name in path[:-1]:
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
    place[path[-1]] = value
    return copy
