"""Conditions over the input, as authors write them and as engines read them.

A condition is true, false or unknown (a field is missing or has another type); unknown denies. Engines get
the disjunctive normal form, because Rego has no recursion: it keeps the value of all/any/not, unknown
included (Kleene's logic is distributive and De Morgan's laws hold in it).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Discriminator, Field, JsonValue, StrictBool, StrictInt, Tag, model_validator

from adapters.policy.fields import FieldType
from adapters.policy.patterns import Pattern
from adapters.policy.written import Amounts, by_currency
from domain.conversation import TextModel

MAX_CLAUSES = 64
MAX_LITERALS = 256
MAX_DEPTH = 8

Literals = list[JsonValue]
KINDS = {bool: "a flag", int: "a number"}  # of what is written; everything else should be a word
Scalar = Annotated[
    Annotated[StrictBool, Tag("a flag")]
    | Annotated[StrictInt, Tag("a number")]
    | Annotated[str, Field(max_length=128), Tag("a word")],
    Discriminator(lambda written: KINDS.get(type(written), "a word")),
]
Limit = Annotated[
    Annotated[StrictInt, Tag("a number")] | Annotated[Amounts, Tag("amounts")],
    Discriminator(lambda written: "amounts" if isinstance(written, dict) else "a number"),
]
Words = Annotated[tuple[Annotated[str, Field(max_length=128)], ...], Field(min_length=1, max_length=200)]


class Fields(NamedTuple):
    """What a bundle's conditions may name."""

    types: Mapping[str, FieldType]

    def path(self, name: str) -> list[JsonValue]:
        """Below the input. Declared names may have dots of their own."""
        for prefix in ("facts.", "action.arguments."):
            if name.startswith(prefix):
                return [*prefix.rstrip(".").split("."), name.removeprefix(prefix)]
        return [*name.split(".")]


# What each comparison wants its field to be.
WANTED: Mapping[str, frozenset[FieldType]] = {
    "equals": frozenset({FieldType.TEXT, FieldType.INTEGER, FieldType.FLAG}),
    "in": frozenset({FieldType.TEXT}),
    "less_than": frozenset({FieldType.INTEGER, FieldType.AMOUNT}),
    "at_most": frozenset({FieldType.INTEGER, FieldType.AMOUNT}),
    "more_than": frozenset({FieldType.INTEGER, FieldType.AMOUNT}),
    "at_least": frozenset({FieldType.INTEGER, FieldType.AMOUNT}),
    "matches": frozenset({FieldType.TEXT}),
    "contains_any": frozenset({FieldType.LIST}),
    "subset_of": frozenset({FieldType.LIST}),
    "equals_field": frozenset(FieldType) - {FieldType.LIST},
    "at_most_field": frozenset({FieldType.INTEGER, FieldType.AMOUNT}),
    "exists": frozenset(FieldType),
}


class Condition(TextModel):
    """One comparison of a field, or all, any or none of several conditions."""

    all: Annotated[tuple["Condition", ...], Field(min_length=1)] | None = None
    any: Annotated[tuple["Condition", ...], Field(min_length=1)] | None = None
    not_: Annotated["Condition | None", Field(alias="not")] = None

    field: str | None = None
    equals: Scalar | None = None
    in_: Annotated[Words | None, Field(alias="in")] = None
    less_than: Limit | None = None
    at_most: Limit | None = None
    more_than: Limit | None = None
    at_least: Limit | None = None
    between: tuple[Limit, Limit] | None = None
    matches: Pattern | None = None
    contains_any: Words | None = None
    subset_of: Words | None = None
    equals_field: str | None = None
    at_most_field: str | None = None
    exists: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        groups = [name for name in ("all", "any", "not_") if getattr(self, name) is not None]
        comparisons = self._comparisons()
        if len(groups) + (self.field is not None) != 1:
            raise ValueError("must be exactly one of: field, all, any, not")
        if len(comparisons) != (1 if self.field is not None else 0):
            raise ValueError("a field needs exactly one comparison, such as equals or at_most")
        return self

    def _comparisons(self) -> list[str]:
        return [name for name in _COMPARISONS if getattr(self, name) is not None]

    def unknown_fields(self, fields: Fields) -> Iterator[str]:
        """Names that no field has."""
        for part in self._parts():
            yield from part.unknown_fields(fields)
        for name in (self.field, self.equals_field, self.at_most_field):
            if name is not None and name not in fields.types:
                yield name

    def mistaken(self, fields: Fields) -> Iterator[str]:
        """Comparisons that the field's type has not, in words."""
        for part in self._parts():
            yield from part.mistaken(fields)
        if self.field is not None and self.field in fields.types:
            (comparison,) = self._comparisons()
            yield from _mistakes(self, comparison, fields)

    def _parts(self) -> tuple["Condition", ...]:
        return (*(self.all or ()), *(self.any or ()), *((self.not_,) if self.not_ else ()))

    def clauses(self, fields: Fields, *, negated: bool = False) -> list[Literals]:
        """True where every literal of some clause is true. Raises `ValueError` where it grows too large."""
        if self.not_ is not None:
            return self.not_.clauses(fields, negated=not negated)
        parts = self.all or self.any
        if parts is None:
            return self._comparison(fields, negated=negated)
        found = [part.clauses(fields, negated=negated) for part in parts]
        if (self.all is not None) != negated:
            return _product(found)
        return _bounded([clause for clauses in found for clause in clauses])

    def _comparison(self, fields: Fields, *, negated: bool) -> list[Literals]:
        if self.between is not None:
            least, most = (
                _literal(self.field, name, value, fields, negated=negated)
                for name, value in zip(("at_least", "at_most"), self.between, strict=True)
            )
            return [[least], [most]] if negated else [[least, most]]
        (name,) = self._comparisons()
        return [[_literal(self.field, name, getattr(self, name), fields, negated=negated)]]


_COMPARISONS = (
    "equals", "in_", "less_than", "at_most", "more_than", "at_least", "between", "matches", "contains_any",
    "subset_of", "equals_field", "at_most_field", "exists",
)  # fmt: skip


def _mistakes(condition: Condition, comparison: str, fields: Fields) -> Iterator[str]:
    kind = fields.types[str(condition.field)]
    values: tuple[Any, ...] = condition.between or (getattr(condition, comparison),)
    word = "at_most" if comparison == "between" else comparison.rstrip("_")
    if kind not in WANTED[word]:
        yield f"{condition.field} is of type {kind}, which {comparison.rstrip('_')!r} does not compare"
    elif kind is FieldType.AMOUNT and not word.endswith("field") and word != "exists":
        if not all(isinstance(value, dict) for value in values):
            yield f'{condition.field} is an amount: write {{EUR: "50.00"}}'
    elif word in {"less_than", "at_most", "more_than", "at_least"}:
        if not all(isinstance(value, int) for value in values):
            yield f"{condition.field} is a whole number, no amount"
    elif word == "equals" and type(condition.equals) is not _PYTHON[kind]:
        yield f"{condition.field} is of type {kind}"
    if condition.between is not None and _is_empty(*condition.between):
        yield f"nothing is between these two: {condition.field} must have the lower one first"
    other = condition.equals_field or condition.at_most_field
    if other is not None and other in fields.types and fields.types[other] is not kind:
        yield f"{condition.field} and {other} are of different types"


def _is_empty(least: Any, most: Any) -> bool:
    if isinstance(least, int) and isinstance(most, int):
        return least > most
    if isinstance(least, dict) and isinstance(most, dict):
        return set(least) != set(most) or any(least[each] > most[each] for each in least)
    return False  # of two types, which is another mistake


_PYTHON = {FieldType.TEXT: str, FieldType.INTEGER: int, FieldType.FLAG: bool}


def _literal(field: str | None, name: str, value: Any, fields: Fields, *, negated: bool) -> JsonValue:
    assert field is not None  # noqa: S101 - validated
    if isinstance(value, dict):
        value = by_currency(value)
    if isinstance(value, tuple):
        value = list(value)
    if name.endswith("_field"):
        value = fields.path(value)
    if name == "matches":
        value = f"^(?:{value})$"  # always the whole value
    return {
        "field": field,
        "path": fields.path(field),
        "type": fields.types[field].value,
        "op": name.rstrip("_"),
        "value": value,
        "negated": negated,
    }


def _product(found: list[list[Literals]]) -> list[Literals]:
    product: list[Literals] = [[]]
    for clauses in found:
        product = _bounded([[*left, *right] for left in product for right in clauses])
    return product


def _bounded(clauses: list[Literals]) -> list[Literals]:
    if len(clauses) > MAX_CLAUSES or sum(map(len, clauses)) > MAX_LITERALS:
        raise ValueError("its conditions grow too large: split the rule")
    return clauses
