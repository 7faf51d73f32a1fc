"""Whether a clause of a condition can be true, and whether one condition implies another.

Both are answered with certainty or not at all: what is not known counts as possible, and as not implied.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from adapters.policy.fields import bare
from adapters.policy.truth import truth
from adapters.policy.witnesses import put
from domain.decision import PolicyInput

Clause = Sequence[Any]
ORDERED = frozenset({"less_than", "at_most", "more_than", "at_least"})
WITH_FIELD = frozenset({"equals_field", "at_most_field"})
NEGATED = {"less_than": "at_least", "at_most": "more_than", "more_than": "at_most", "at_least": "less_than"}


@lru_cache(maxsize=1)
def closed_words() -> Mapping[str, frozenset[str]]:
    """Fields that hold one of a closed set of words, or a list of them."""
    return dict(_closed(PolicyInput, ""))


def _closed(model: type[BaseModel], prefix: str) -> Iterable[tuple[str, frozenset[str]]]:
    for name, field in model.model_fields.items():
        kind = bare(field.annotation)
        if get_origin(kind) is tuple:
            kind = bare(get_args(kind)[0])
        if isinstance(kind, type) and issubclass(kind, Enum):
            yield prefix + name, frozenset(str(each.value) for each in kind)
        elif isinstance(kind, type) and issubclass(kind, BaseModel) and name != "chain":
            yield from _closed(kind, f"{prefix}{name}.")


def possible(clause: Clause) -> bool:
    """False where no value of some field makes all that the clause says of it true."""
    fields = dict.fromkeys(literal["field"] for literal in clause)
    return all(_possible([each for each in clause if each["field"] == field]) for field in fields)


def implies(first: Sequence[Clause] | None, second: Sequence[Clause] | None) -> bool:
    """Whether the second condition is true wherever the first one is."""
    if second is None:
        return True
    if first is None:
        return False
    return all(any(_implies(clause, other) for other in second) for clause in first if possible(clause))


def _implies(clause: Clause, other: Clause) -> bool:
    return all(_holds(clause, literal) for literal in other)


def _holds(clause: Clause, literal: Any) -> bool:
    if literal in clause:
        return True
    about = [each for each in clause if each["field"] == literal["field"] and each["op"] not in WITH_FIELD]
    known = [each for each in about if not (each["op"] == "exists" and each["negated"])]
    if literal["op"] == "exists":
        return bool(known) and not literal["negated"]
    if literal["op"] in WITH_FIELD or not any(each["op"] != "exists" for each in known):
        return False
    return _knows(known, literal) and not _possible([*about, {**literal, "negated": not literal["negated"]}])


def _knows(about: Clause, literal: Any) -> bool:
    """An amount in a currency that the literal does not name makes it unknown, not true."""
    if literal["type"] != "amount" or literal["op"] not in ORDERED:
        return True
    return bool(_currencies([each for each in about if each["op"] in ORDERED]) <= set(literal["value"]))


def _possible(asked: Clause) -> bool:
    """Of one field."""
    absent = any(each["op"] == "exists" and each["negated"] for each in asked)
    asked = [each for each in asked if each["op"] != "exists"]
    if absent or not asked:
        return not (absent and asked)
    asked = [each for each in asked if each["op"] not in WITH_FIELD]
    return not asked or SOME[asked[0]["type"]](asked)


def _some_flag(asked: Clause) -> bool:
    return _some(asked, (True, False))


def _some(asked: Clause, values: Iterable[Any]) -> bool:
    return any(_true(asked, value) for value in values)


def _true(asked: Clause, value: Any) -> bool:
    document: dict[str, Any] = {}
    put(document, asked[0]["path"], value)
    return truth([asked], document)[0] is True


def _some_word(asked: Clause) -> bool:
    words = closed_words().get(asked[0]["field"])
    for each in asked:
        if each["op"] in {"equals", "in"} and not each["negated"]:
            named = frozenset(each["value"] if isinstance(each["value"], list) else [each["value"]])
            words = named if words is None else words & named
    return words is None or _some(asked, words)


def _interval(literal: Any, limit: int) -> tuple[float, float]:
    name = literal["op"]
    if name == "equals":
        return (-float("inf"), float("inf")) if literal["negated"] else (limit, limit)
    match NEGATED[name] if literal["negated"] else name:
        case "less_than":
            return -float("inf"), limit - 1
        case "at_most":
            return -float("inf"), limit
        case "more_than":
            return limit + 1, float("inf")
        case _:
            return limit, float("inf")


def _some_integer(asked: Clause) -> bool:
    return _some_number([_interval(each, each["value"]) for each in asked])


def _some_number(intervals: Sequence[tuple[float, float]]) -> bool:
    return max(least for least, _ in intervals) <= min(most for _, most in intervals)


def _currencies(asked: Clause) -> set[str]:
    return set.intersection(*(set(each["value"]) for each in asked)) if asked else set()


def _some_amount(asked: Clause) -> bool:
    return any(
        _some_number([_interval(each, each["value"][currency]) for each in asked])
        for currency in _currencies(asked)
    )


def _some_list(asked: Clause) -> bool:
    """Its members are those that every `subset_of` names and no negated `contains_any`."""
    members = closed_words().get(asked[0]["field"])
    for each in asked:
        if each["op"] == "subset_of" and not each["negated"]:
            members = frozenset(each["value"]) if members is None else members & frozenset(each["value"])
    barred = {
        word for each in asked if each["op"] == "contains_any" and each["negated"] for word in each["value"]
    }
    for each in asked:
        words = frozenset(each["value"])
        if each["op"] == "contains_any" and not each["negated"]:
            if not (words if members is None else words & members) - barred:
                return False
        elif (
            each["op"] == "subset_of"
            and each["negated"]
            and members is not None
            and not members - words - barred
        ):
            return False
    return True


SOME: Mapping[str, Callable[[Clause], bool]] = {
    "flag": _some_flag,
    "text": _some_word,
    "integer": _some_integer,
    "amount": _some_amount,
    "list": _some_list,
}
