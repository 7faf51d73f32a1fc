"""Reads an input document that may lack anything and hold anything."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

Json = Mapping[str, JsonValue]
LARGEST = 2**53 - 1


def at(document: JsonValue | Json, *path: str) -> Any:
    """The value at `path`, None where there is none."""
    found: Any = document
    for word in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(word)
    return found


def whole(value: object) -> int | None:
    """A whole number that every reader of JSON reads alike; JSON does not tell 50 from 50.0, nor do we."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
        return None
    return int(value) if value == int(value) else None


def counted(value: object) -> int | None:
    """A whole number that is not below zero: nobody has done something less than never."""
    found = whole(value)
    return found if found is not None and found >= 0 else None


def word(value: object) -> str | None:
    """A string."""
    return value if isinstance(value, str) else None


def money(value: object) -> tuple[int, str] | None:
    """Minor units and currency."""
    if not isinstance(value, Mapping):
        return None
    units, currency = whole(value.get("minor_units")), value.get("currency")
    return (units, currency) if units is not None and isinstance(currency, str) else None


def words(value: object) -> list[str] | None:
    """A list of strings."""
    if (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(each, str) for each in value)
    ):
        return list(value)
    return None
