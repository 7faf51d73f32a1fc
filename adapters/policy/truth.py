"""The plain-Python meaning of compiled conditions; `policies/library/conditions.rego` says the same."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from adapters.policy.reading import Json, at, money, whole, words


@lru_cache(maxsize=1000)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


ORDERED: Mapping[str, Callable[[int, int], bool]] = {
    "less_than": lambda have, limit: have < limit,
    "at_most": lambda have, limit: have <= limit,
    "more_than": lambda have, limit: have > limit,
    "at_least": lambda have, limit: have >= limit,
}

SIMPLE: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda have, wanted: bool(have == wanted),
    "in": lambda have, wanted: have in wanted,
    "matches": lambda have, pattern: _pattern(pattern).fullmatch(have) is not None,
    "contains_any": lambda have, wanted: not set(have).isdisjoint(wanted),
    "subset_of": lambda have, wanted: set(have) <= set(wanted),
}


def truth(clauses: Sequence[Any] | None, document: Json) -> tuple[bool | None, tuple[str, ...]]:
    """True, False or None for unknown, and the fields that made it unknown. No clauses at all is true."""
    if clauses is None:
        return True, ()
    unknown: set[str] = set()
    for clause in clauses:
        values = [(_literal(literal, document), literal["field"]) for literal in clause]
        if all(value is True for value, _ in values):
            return True, ()
        if not any(value is False for value, _ in values):
            unknown.update(field for value, field in values if value is None)
    return (None, tuple(sorted(unknown))) if unknown else (False, ())


def _literal(literal: Json, document: Json) -> bool | None:
    found = _compared(literal, at(document, *literal["path"]), document)  # type: ignore[misc]  # compiled by us
    return None if found is None else found is not literal["negated"]


def _compared(literal: Json, have: Any, document: Json) -> bool | None:
    wanted: Any = literal["value"]
    op, kind = str(literal["op"]), str(literal["type"])
    have = _typed(kind, have)
    if op == "exists":
        return have is not None
    if have is None:
        return None
    if op in {"equals_field", "at_most_field"}:
        return _with_field(op, have, _typed(kind, at(document, *wanted)))
    return _ordered(op, have, wanted) if op in ORDERED else SIMPLE[op](have, wanted)


def _typed(kind: str, value: Any) -> Any:
    match kind:
        case "text":
            return value if isinstance(value, str) else None
        case "integer":
            return whole(value)
        case "flag":
            return value if isinstance(value, bool) else None
        case "list":
            return words(value)
        case _:
            return money(value)


def _with_field(op: str, have: Any, other: Any) -> bool | None:
    if other is None:
        return None
    if isinstance(have, tuple):
        if have[1] != other[1]:
            return None
        have, other = have[0], other[0]
    return bool(have == other) if op == "equals_field" else bool(have <= other)


def _ordered(op: str, have: Any, wanted: Any) -> bool | None:
    if isinstance(wanted, Mapping):
        units, currency = have
        if currency not in wanted:
            return None
        have, wanted = units, wanted[currency]
    return ORDERED[op](have, wanted)
