"""The input fields that conditions may name, derived from `domain.decision.PolicyInput`."""

import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel

from domain.decision import PolicyInput
from domain.fact import Money


class FieldType(StrEnum):
    """What a field holds; a value of another type counts as missing."""

    TEXT = "text"
    INTEGER = "integer"
    FLAG = "flag"
    LIST = "list"
    AMOUNT = "amount"


SIMPLE: Mapping[Any, FieldType] = {
    str: FieldType.TEXT,
    UUID: FieldType.TEXT,
    datetime: FieldType.TEXT,
    bool: FieldType.FLAG,
    int: FieldType.INTEGER,
    Money: FieldType.AMOUNT,
}


@lru_cache(maxsize=1)
def input_fields() -> Mapping[str, FieldType]:
    """Dotted paths below the input, with their types. Facts and arguments are declared by each bundle."""
    return {path: kind for path, kind in _walk(PolicyInput, "") if path != "agent.chain"}


@lru_cache(maxsize=1)
def closed_words() -> Mapping[str, frozenset[str]]:
    """What a field of a closed set can hold; a word beside them would never be met."""
    return {
        path: frozenset(str(each) for each in kind)
        for path, kind in ((path, _element(kind)) for path, kind in _annotated(PolicyInput, ""))
        if isinstance(kind, type) and issubclass(kind, Enum)
    }


def _element(kind: Any) -> Any:
    return _bare(get_args(kind)[0]) if get_origin(kind) is tuple else kind


def _annotated(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        path, kind = prefix + name, _bare(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in SIMPLE:
            yield from _annotated(kind, f"{path}.")
        else:
            yield path, kind


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldType]]:
    for path, kind in _annotated(model, prefix):
        if kind in SIMPLE:
            yield path, SIMPLE[kind]
        elif get_origin(kind) is tuple:
            yield path, FieldType.LIST
        elif isinstance(kind, type) and issubclass(kind, Enum):
            yield path, FieldType.TEXT
        elif path == "schema_version":
            yield path, FieldType.INTEGER


def _bare(annotation: Any) -> Any:
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in {Union, types.UnionType}:
            annotation = next(each for each in get_args(annotation) if each is not type(None))
        else:
            return annotation
