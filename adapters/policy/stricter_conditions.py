"""What can be shown of two compiled conditions for every input, without any input.

A condition is a list of clauses, true where every literal of some clause is true; None is always true.
A literal is unknown where its field is missing or of another type. Only what is proven is answered True.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Literal = Mapping[str, Any]
Clauses = Sequence[Sequence[Literal]] | None
Range = tuple[float, float]

# Where one of these is missing or has another type, the library denies whatever a policy says.
ALWAYS_KNOWN = frozenset({"schema_version", "mode", "channel", "ticket.owner", "action.type"})
ORDERED = frozenset({"less_than", "at_most", "more_than", "at_least"})
PAIRED = frozenset({"equals_field", "at_most_field"})
ENDLESS = math.inf


class Need(NamedTuple):
    """What must be there for a literal to be true or false: fields of a type, in one of the currencies."""

    paths: frozenset[tuple[str, ...]]
    type: str
    currencies: frozenset[str] | None = None


def holds_only_where(narrow: Clauses, wide: Clauses) -> bool:
    """Wherever `narrow` is true, `wide` is."""
    if wide is None:
        return True
    return narrow is not None and all(
        any(all(any(_entails(have, want) for have in clause) for want in other) for other in wide)
        for clause in narrow
    )


def never_lower(before: Clauses, after: Clauses) -> bool:
    """`after` is true where `before` is, and never false where `before` is unknown."""
    if after is None:
        return True
    return before is not None and all(
        any(all(any(_rises(low, high) for low in clause) for high in other) for other in after)
        for clause in before
    )


def unknown_with(before: Clauses, after: Clauses) -> bool:
    """Wherever `before` is unknown, `after` is."""
    needs = needed(before)
    if not needs:
        return True
    if after is None:
        return False
    if len(needs) == 1 and needs == {_need(literal) for clause in after for literal in clause}:
        return True
    return knows(after, needs) and never_lower(before, after)


def needed(clauses: Clauses) -> frozenset[Need]:
    """Whatever can leave it unknown."""
    return frozenset(need for clause in clauses or () for need in map(_need, clause) if need is not None)


def knows(clauses: Clauses, needs: frozenset[Need]) -> bool:
    """Wherever it is true, all of these are there."""
    if not needs:
        return True
    return clauses is not None and all(
        any(_shows(literal, need) for literal in clause) for clause in clauses for need in needs
    )


def _need(literal: Literal) -> Need | None:
    op, kind, path = literal["op"], literal["type"], tuple(literal["path"])
    if op in PAIRED:
        return Need(frozenset({path, tuple(literal["value"])}), kind)
    if op == "exists" or ".".join(path) in ALWAYS_KNOWN:
        return None
    return Need(frozenset({path}), kind, frozenset(literal["value"]) if _limits_amounts(literal) else None)


def _limits_amounts(literal: Literal) -> bool:
    return literal["op"] in ORDERED and literal["type"] == "amount"


def _shows(literal: Literal, need: Need) -> bool:
    """Where the literal is true, the need is met."""
    if literal["op"] == "exists":
        own = Need(frozenset({tuple(literal["path"])}), literal["type"])
        return not literal["negated"] and own == need
    own = _need(literal) or Need(frozenset({tuple(literal["path"])}), literal["type"])
    if own.type != need.type or not need.paths <= own.paths:
        return False
    if len(need.paths) > 1:
        return own == need
    return need.currencies is None or (own.currencies is not None and own.currencies <= need.currencies)


def _rises(low: Literal, high: Literal) -> bool:
    return _entails(low, high) and (_need(low) is None or _need(low) == _need(high))


def _entails(have: Literal, want: Literal) -> bool:
    """Where `have` is true, `want` is."""
    if {**have, "field": None} == {**want, "field": None}:
        return True
    if want["op"] == "exists":
        alone = Need(frozenset({tuple(want["path"])}), want["type"])
        return not want["negated"] and _shows(have, alone)
    if (have["path"], have["type"]) != (want["path"], want["type"]) or have["op"] == "exists":
        return False
    if have["op"] in PAIRED or want["op"] in PAIRED:
        return _pairs_entail(have, want)
    return COMPARED[have["type"]](have, want)


def _pairs_entail(have: Literal, want: Literal) -> bool:
    said = (have["op"], have["negated"], want["op"], want["negated"])
    return have["value"] == want["value"] and said == ("equals_field", False, "at_most_field", False)


def _integers(have: Literal, want: Literal) -> bool:
    inside, outside = _range(have, have["value"]), _range(want, want["value"])
    if inside is None:
        return False
    if outside is None:
        return not inside[0] <= want["value"] <= inside[1]
    return _within(inside, outside)


def _amounts(have: Literal, want: Literal) -> bool:
    if not set(have["value"]) <= set(want["value"]):
        return False
    pairs = [
        (_range(have, limit), _range(want, want["value"][currency]))
        for currency, limit in have["value"].items()
    ]
    return all(inside and outside and _within(inside, outside) for inside, outside in pairs)


def _within(inside: Range, outside: Range) -> bool:
    return outside[0] <= inside[0] and inside[1] <= outside[1]


NEGATED = {"less_than": "at_least", "at_least": "less_than", "at_most": "more_than", "more_than": "at_most"}


def _range(literal: Literal, value: int) -> Range | None:
    """The whole numbers for which it is true; None for all but one."""
    op = literal["op"]
    if literal["negated"]:
        op = NEGATED.get(op)
    ranges: dict[str | None, Range] = {
        "less_than": (-ENDLESS, value - 1),
        "at_most": (-ENDLESS, value),
        "more_than": (value + 1, ENDLESS),
        "at_least": (value, ENDLESS),
        "equals": (value, value),
    }
    return ranges.get(op)


def _texts(have: Literal, want: Literal) -> bool:
    if "matches" in {have["op"], want["op"]}:
        return False
    mine, its = _words(have), _words(want)
    match have["negated"], want["negated"]:
        case False, False:
            return mine <= its
        case False, True:
            return mine.isdisjoint(its)
        case True, True:
            return its <= mine
        case _:
            return False


def _words(literal: Literal) -> frozenset[str]:
    value = literal["value"]
    return frozenset([value] if isinstance(value, str) else value)


def _flags(have: Literal, want: Literal) -> bool:
    wanted: list[bool] = [literal["value"] != literal["negated"] for literal in (have, want)]
    return wanted[0] == wanted[1]


def _lists(have: Literal, want: Literal) -> bool:
    mine, its = set(have["value"]), set(want["value"])
    if have["negated"] and want["negated"]:
        return have["op"] == want["op"] and its <= mine
    if have["negated"]:
        return False
    if want["negated"]:
        return (have["op"], want["op"]) == ("subset_of", "contains_any") and mine.isdisjoint(its)
    return have["op"] == want["op"] and mine <= its


COMPARED = {"integer": _integers, "amount": _amounts, "text": _texts, "flag": _flags, "list": _lists}
