"""What a policy asks for that an old input does not have.

Inputs are stored as they were. Fields that came later, or that are looked up only where a policy asks for
them, are absent from older inputs although they had a value at the time: what a rule would have said about
them is unknown from here. Fields that every input had from the beginning are different: absent means absent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.policy.bundle import PRIMITIVES
from adapters.policy.effective import Effective
from adapters.policy.reading import Json, at, word
from adapters.policy.truth import truth
from domain.decision import Verdict

Path = tuple[str, ...]

# Of `domain.decision.PolicyInput`: what version 1 did not have.
LATER: tuple[Path, ...] = (
    ("at",),
    ("purpose",),
    ("identity",),
    ("consent",),
    ("residency",),
    ("counters",),
    ("facts",),
    ("action", "destination"),
    ("action", "resource_tenant_id"),
    ("action", "arguments"),
)
ASKED_ONE_BY_ONE = {("counters",), ("facts",)}


def _nothing(check: Any, document: Json) -> Iterator[Path]:  # noqa: ARG001 - as all of them
    return iter(())


def _counted(check: Any, document: Json) -> Iterator[Path]:
    counter = check.get("counters", {}).get(word(at(document, "action", "type")))
    if counter is not None:
        yield "counters", counter


def _threshold(check: Any, document: Json) -> Iterator[Path]:
    yield tuple(check["path"])
    yield from _counted(check, document)


def _require(check: Any, document: Json) -> Iterator[Path]:  # noqa: ARG001 - as all of them
    for requirement in check:
        yield from _compared(requirement["when"])


def _channel(check: Any, document: Json) -> Iterator[Path]:
    if at(document, "channel") not in check:
        yield "action", "destination"


# What each primitive reads of the input.
READS: Mapping[str, Callable[[Any, Json], Iterator[Path]]] = {
    "allow": _nothing,
    "deny": _nothing,
    "action_allowlist": _nothing,
    "channel_allowlist": _channel,
    "hours": lambda *_: iter([("at",)]),
    "purpose": lambda *_: iter([("purpose",)]),
    "rate": _counted,
    "redact_fields": _nothing,
    "require": _require,
    "require_approval": _nothing,
    "residency": lambda *_: iter([("residency", "model_region"), ("residency", "storage_region")]),
    "tenant_scope": lambda *_: iter([("action", "resource_tenant_id")]),
    "threshold": _threshold,
}


@dataclass(frozen=True)
class Lack:
    """The fields that are lacking, and the primitives that ask for them; none where `when` itself does."""

    fields: frozenset[str]
    primitives: frozenset[str]


NOTHING = Lack(frozenset(), frozenset())


class Lacking:
    """Of one policy; rules that read nothing that came later are never looked at twice."""

    def __init__(self, policy: Effective) -> None:
        self._policy: Any = policy.document
        self._by_action: dict[str, Sequence[Any]] = {}

    def rules(self, document: Json) -> Mapping[str, Lack]:
        """Rules that could say something else if the document had these fields, by name."""
        found = {rule["id"]: _lacks(rule, document) for rule in self._candidates(document)}
        return {name: lack for name, lack in found.items() if lack.fields}

    def refuses_anyway(self, document: Json, lacking: Mapping[str, Lack]) -> bool:
        """Whether another primitive of a rule that lacks something refuses it already."""
        return any(
            verdict is Verdict.DENY
            for rule in self._candidates(document)
            if (lack := lacking.get(rule["id"])) and lack.primitives
            for name in PRIMITIVES.keys() & set(rule) - lack.primitives
            for verdict, _ in PRIMITIVES[name].find(rule[name], document)
        )

    def _candidates(self, document: Json) -> Sequence[Any]:
        action = word(at(document, "action", "type")) or ""
        if action not in self._by_action:
            self._by_action[action] = [*self._asking(action, {"action": {"type": action}})]
        return self._by_action[action]

    def _asking(self, action: str, bare: Json) -> Iterator[Any]:
        """Rules about the action that lack something of a document without anything."""
        for level in self._policy["levels"]:
            for number in (*level["rules_of"].get(action, ()), *level["rules_of"].get("*", ())):
                rule = self._policy["rules"][number]
                if any(_later(path) for path in _read(rule, bare)):
                    yield rule


def _lacks(rule: Any, document: Json) -> Lack:
    asked = _absent(_compared(rule.get("when", ())), document)
    holds, _ = truth(rule.get("when"), document)
    if asked and (holds is None or _asks_existence(rule["when"])):
        return Lack(asked, frozenset())
    if holds is not True:
        return NOTHING
    by_primitive = {
        name: fields
        for name in PRIMITIVES
        if name in rule and (fields := _absent(READS[name](rule[name], document), document))
    }
    return Lack(frozenset[str]().union(*by_primitive.values()), frozenset(by_primitive))


def _absent(paths: Iterator[Path], document: Json) -> frozenset[str]:
    return frozenset(".".join(path) for path in paths if _is_absent(path, document))


def _is_absent(path: Path, document: Json) -> bool:
    later = _later(path)
    if later is None:
        return False
    # A section that is there is whole, but for those that hold only what was asked for.
    return at(document, *(path if later in ASKED_ONE_BY_ONE else later)) is None


def _later(path: Path) -> Path | None:
    return next((later for later in LATER if path[: len(later)] == later), None)


def _read(rule: Any, document: Json) -> Iterator[Path]:
    yield from _compared(rule.get("when", ()))
    for name in PRIMITIVES:
        if name in rule:
            yield from READS[name](rule[name], document)


def _compared(clauses: Sequence[Any]) -> Iterator[Path]:
    for literal in (each for clause in clauses for each in clause):
        yield tuple(literal["path"])
        if str(literal["op"]).endswith("_field"):
            yield tuple(literal["value"])


def _asks_existence(clauses: Sequence[Any]) -> bool:
    return any(literal["op"] == "exists" for clause in clauses for literal in clause)
