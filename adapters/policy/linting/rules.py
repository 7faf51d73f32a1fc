"""Rules among each other: what can never be true, never decides, or says what another one says already."""

from collections.abc import Iterator
from typing import Any

from adapters.policy.bundle import PRIMITIVES
from adapters.policy.linting._finding import Finding, FindingCode
from adapters.policy.linting._levels import Levels, Looked
from adapters.policy.linting._possible import closed_words, implies, possible
from adapters.policy.stricter_conditions import unknown_with

MOST_COMPARISONS = 2_000_000  # a policy of a thousand rules has half a million pairs
CLAUSE = 20
SILENT = {"redact_fields", "require"}  # say nothing where they are empty


def findings(levels: Levels) -> Iterator[Finding]:
    """In the order of the files."""
    compared = _Compared()
    for each in levels.rules:
        yield from _words(each)
        yield from _arguments(levels, each)
        dead = [*_dead(levels, each, compared)]
        yield from dead
        if not dead:
            yield from _superfluous(levels, each, compared)
        if each.rule.must_hold and (dead or _silent(each)):
            yield each.says(
                FindingCode.MUST_HOLD_NEVER_DECIDES,
                f"Rule {each.name!r} must hold and never decides anything",
                "make it decide, or take must_hold away",
                "must_hold",
            )


class _Compared:
    """Comparisons of rules, so many and no more: whatever is beyond counts as not covered."""

    def __init__(self) -> None:
        self._left = MOST_COMPARISONS

    def may(self, cost: int = 1) -> bool:
        """Whether there is time for it; a comparison of two clauses costs far more than a look at a rule."""
        self._left -= cost
        return self._left >= 0

    def covers(self, wide: Looked, narrow: Looked) -> bool:
        """Whether `wide` is about everything that `narrow` is about."""
        same = narrow.actions is wide.actions
        return (same or narrow.actions <= wide.actions) and self.condition_covers(wide, narrow)

    def condition_covers(self, wide: Looked, narrow: Looked) -> bool:
        """The same, whatever the actions."""
        if wide.clauses is None or narrow.clauses is None:
            return wide.clauses is None
        cost = CLAUSE * sum(map(len, narrow.clauses)) * sum(map(len, wide.clauses))
        return self.may(cost) and implies(narrow.clauses, wide.clauses)


def _words(each: Looked) -> Iterator[Finding]:
    closed = closed_words()
    said: set[str] = set()
    for literal in (literal for clause in each.clauses or () for literal in clause):
        words = closed.get(literal["field"])
        if words is None or literal["op"] not in {"equals", "in", "contains_any", "subset_of"}:
            continue
        named = literal["value"] if isinstance(literal["value"], list) else [literal["value"]]
        for word in sorted({*named} - words - said):
            said.add(word)
            yield each.says(
                FindingCode.WORD_UNKNOWN,
                f"Field {literal['field']} is never {word!r}",
                f"use one of {', '.join(sorted(words))}",
                "when",
                "condition",
            )


def _arguments(levels: Levels, each: Looked) -> Iterator[Finding]:
    bundle = levels.bundles[each.level]
    fields = {literal["field"] for clause in each.clauses or () for literal in clause}
    for field in sorted(field for field in fields if field.startswith("action.arguments.")):
        name = field.removeprefix("action.arguments.")
        having = {action for action, declared in bundle.actions.items() if name in declared.arguments}
        without = sorted(each.actions - having)
        if without:
            yield each.says(
                FindingCode.ARGUMENT_OF_OTHER_ACTION,
                f"Action {without[0]!r} has no argument {name!r}, so rule {each.name!r} denies it",
                f"say in when.actions: {', '.join(sorted(having))}",
                "when",
            )


def _dead(levels: Levels, each: Looked, compared: _Compared) -> Iterator[Finding]:
    if not each.actions or (each.clauses is not None and not any(map(possible, each.clauses))):
        yield each.says(
            FindingCode.NEVER_TRUE,
            f"What rule {each.name!r} says in `when` is never true",
            "look for comparisons that exclude each other, or for bands that its actions do not have",
            "when",
        )
    elif each.rule.deny is not None and each.grants:
        yield each.says(
            FindingCode.CONTRADICTORY,
            f"Rule {each.name!r} allows and denies the same",
            "take one of both away, or make two rules of it",
        )
    elif each.rule.deny is None:
        yield from _denied(levels, each, compared)


def _denied(levels: Levels, each: Looked, compared: _Compared) -> Iterator[Finding]:
    """Every action it is about is denied by some rule wherever it applies."""
    denying: Looked | None = None
    for action in sorted(each.actions):
        denying = next((other for other in levels.rules if _denies(other, each, action, compared)), None)
        if denying is None:
            return
    if denying is None:
        return
    same = (
        denying.rule.deny is not None
        and each.grants
        and denying.level is each.level
        and compared.covers(each, denying)
    )
    if same:
        yield each.says(
            FindingCode.CONTRADICTORY,
            f"Rule {each.name!r} allows exactly what rule {denying.name!r} denies",
            "take one of both away",
        )
    else:
        yield each.says(
            FindingCode.UNREACHABLE,
            f"Rule {each.name!r} never decides: rule {denying.name!r} ({denying.level}) denies all of it",
            "take it away, or narrow the rule that denies",
        )


def _denies(other: Looked, each: Looked, action: str, compared: _Compared) -> bool:
    if other is each or not compared.may() or action not in other.actions:
        return False
    allowlist = other.rule.action_allowlist
    denies = other.rule.deny is not None or (
        allowlist is not None and "*" not in allowlist.root and action not in allowlist.root
    )
    return denies and compared.condition_covers(other, each)


def _superfluous(levels: Levels, each: Looked, compared: _Compared) -> Iterator[Finding]:
    """One finding, about the later of two equal rules or about the one that another one covers."""
    for other in levels.rules_of(each.level):
        if other.number == each.number or not _says_as_much(other, each):
            continue
        if not compared.covers(other, each) or not unknown_with(each.clauses, other.clauses):
            continue  # a rule also denies where its condition is unknown, so taking it away could loosen
        equal = _said(other) == _said(each) and compared.covers(each, other)
        if equal and other.number > each.number:
            continue
        code = FindingCode.DUPLICATE if equal else FindingCode.OVERLAPPING
        how = "says the same as" if equal else "adds nothing to"
        yield each.says(code, f"Rule {each.name!r} {how} rule {other.name!r}", "take it away")
        return


def _said(each: Looked) -> dict[str, Any]:
    return {name: each.compiled[name] for name in PRIMITIVES if name in each.compiled}


def _says_as_much(other: Looked, each: Looked) -> bool:
    return all(
        name in other.compiled and _as_strict(name, other.compiled[name], said)
        for name, said in _said(each).items()
    )


def _as_strict(name: str, one: Any, other: Any) -> bool:
    """Whether a primitive finds everything that another one of its kind would."""
    if name != "threshold":
        return bool(one == other)
    if {**one, "allow_up_to": 0, "approval_up_to": 0} != {**other, "allow_up_to": 0, "approval_up_to": 0}:
        return False
    if one["allow_up_to"].keys() != other["allow_up_to"].keys():
        return False
    return all(
        limit <= other[name_][currency]
        for name_ in ("allow_up_to", "approval_up_to")
        for currency, limit in one[name_].items()
    )


def _silent(each: Looked) -> bool:
    return all(name in SILENT and not part for name, part in _said(each).items())
