"""Values that make a compiled clause true: what an input must hold for a rule to match."""

from collections.abc import Iterator, Mapping, Sequence
from re import _constants, _parser  # type: ignore[attr-defined]  # the only parser of what `re` accepts
from typing import Any

from pydantic import JsonValue

from adapters.policy.truth import truth

Path = tuple[str, ...]
Document = dict[str, Any]
OTHER = "another_word"
FIRST_PRINTABLE, LAST_PRINTABLE = 32, 127
TYPICAL: Mapping[str, JsonValue] = {
    "text": OTHER,
    "integer": 1,
    "flag": True,
    "list": [OTHER],
    "amount": {"minor_units": 100, "currency": "EUR"},
}


def put(document: Document, path: Sequence[str], value: JsonValue | None) -> None:
    """Writes a value into a document, None takes it away."""
    place = document
    for word in path[:-1]:
        below = place.get(word)
        if not isinstance(below, dict):
            below = place[word] = {}
        place = below
    if value is None:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = value


def meet(document: Document, clause: Sequence[Any]) -> bool:
    """Changes the document so that every literal of the clause is true; False where no value was found."""
    for path in dict.fromkeys(tuple(literal["path"]) for literal in clause):
        asked = [literal for literal in clause if tuple(literal["path"]) == path]
        for literal in asked:
            if literal["op"] in {"equals_field", "at_most_field"}:
                put(document, literal["value"], _typical(literal, high=not literal["negated"]))
        for value in _candidates(asked):
            put(document, path, value)
            if truth([asked], document)[0]:
                break
    return truth([clause], document)[0] is True


def _typical(literal: Any, *, high: bool) -> JsonValue:
    match literal["type"]:
        case "amount":
            return {"minor_units": 100_000 if high else 1, "currency": "EUR"}
        case "integer":
            return 100_000 if high else 1
        case kind:
            return TYPICAL[kind]


def _candidates(asked: Sequence[Any]) -> Iterator[JsonValue | None]:
    for literal in asked:
        yield from _values(literal)
    kind = asked[0]["type"]
    yield TYPICAL[kind]
    if kind == "flag":
        yield False
    if kind == "list":
        yield []
    yield None


def _values(literal: Any) -> Iterator[JsonValue]:
    wanted, kind = literal["value"], literal["type"]
    match literal["op"]:
        case "equals" | "in" if kind in {"text", "flag"}:
            yield from wanted if isinstance(wanted, list) else [wanted]
        case "matches":
            yield example(wanted)
        case "contains_any" | "subset_of":
            yield [wanted[0]]
            yield [*wanted]
        case "equals_field" | "at_most_field":
            yield _typical(literal, high=bool(literal["negated"]))
            yield _typical(literal, high=not literal["negated"])
        case _ if kind == "amount" and isinstance(wanted, Mapping):
            for currency, units in wanted.items():
                for near in (units, units + 1, units - 1):
                    yield {"minor_units": near, "currency": currency}
        case _ if isinstance(wanted, int):
            yield from (wanted, wanted + 1, wanted - 1)


def example(pattern: str) -> str:
    """A text that the pattern matches, as short as possible."""
    return "".join(_written(_parser.parse(pattern)))


def _written(parsed: Any) -> Iterator[str]:
    for code, argument in parsed:
        if code is _constants.LITERAL:
            yield chr(argument)
        elif code is _constants.IN:
            yield _member(argument)
        elif code in {_constants.ANY, _constants.NOT_LITERAL}:
            yield "a" if code is _constants.ANY or argument != ord("a") else "b"
        elif code is _constants.SUBPATTERN:
            yield from _written(argument[3])
        elif code is _constants.BRANCH:
            yield from _written(argument[1][0])
        elif code is _constants.MAX_REPEAT:
            least, _, part = argument
            yield from [*_written(part)] * least


def _member(members: Any) -> str:
    negated = members[0][0] is _constants.NEGATE
    letters = [*map(chr, range(ord("a"), ord("z"))), *map(chr, range(FIRST_PRINTABLE, LAST_PRINTABLE))]
    found = (letter for letter in letters if _is_member(members, ord(letter)) is not negated)
    return next(found, "a")


def _is_member(members: Any, letter: int) -> bool:
    return any(
        letter == argument
        if code is _constants.LITERAL
        else code is _constants.RANGE and argument[0] <= letter <= argument[1]
        for code, argument in members
    )
