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


def bare(annotation: Any) -> Any:
    """The type without `Annotated` and without None."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in {Union, types.UnionType}:
            annotation = next(each for each in get_args(annotation) if each is not type(None))
        else:
            return annotation


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldType]]:
    for name, field in model.model_fields.items():
        path, kind = prefix + name, bare(field.annotation)
        if kind in SIMPLE:
            yield path, SIMPLE[kind]
        elif get_origin(kind) is tuple:
            yield path, FieldType.LIST
        elif isinstance(kind, type) and issubclass(kind, Enum):
            yield path, FieldType.TEXT
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _walk(kind, f"{path}.")
        elif get_origin(kind) not in {dict, None} or name == "schema_version":
            yield path, FieldType.INTEGER
