"""Finds every model that reaches a workflow history, and every place in it that could hold a text."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from pydantic import PydanticSchemaGenerationError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema
from temporalio import activity, workflow

from domain.model import NAMED_PATTERNS

SAFE_FORMATS = frozenset({"uuid", "date", "date-time"})
SAFE_TYPES = frozenset({"integer", "number", "boolean", "null"})
SKIPS_VALIDATION = "`{call}` skips validation, and such a value would be written to history"


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    """Every module of a package."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def surface(modules: Iterable[ModuleType]) -> dict[str, Callable[..., Any]]:
    """Run, signals, queries, updates of workflows and all steps, by qualified name."""
    found: dict[str, Callable[..., Any]] = {}
    for module in modules:
        for value in vars(module).values():
            if getattr(value, "__module__", None) == module.__name__:
                found |= {f"{fn.__module__}.{fn.__qualname__}": fn for fn in _entries(value)}
    return found


def violations(fn: Callable[..., Any]) -> Iterator[str]:
    """What its arguments or result could carry into history; empty is good."""
    hints = get_type_hints(fn, include_extras=True)
    for name in inspect.signature(fn).parameters:
        if name != "self" and name not in hints:
            yield f"{name}: has no type"
    if "return" not in hints:
        yield "return: has no type"
    for name, hint in hints.items():
        yield from (f"{name}{place}" for place in _violations_of_type(hint))


def unvalidated_copies(source: str) -> Iterator[str]:
    """Calls that make a model without validating it."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        changes = any(keyword.arg in {"update", None} for keyword in node.keywords) or len(node.args) > 0
        if node.func.attr == "model_construct" or (node.func.attr in {"model_copy", "copy"} and changes):
            yield f"line {node.lineno}: " + SKIPS_VALIDATION.format(call=node.func.attr)


def sources(package: ModuleType) -> Iterator[Path]:
    """The files of a package."""
    yield from Path(next(iter(package.__path__))).rglob("*.py")


def _entries(value: object) -> Iterator[Callable[..., Any]]:
    defined = workflow._Definition.from_class(value) if inspect.isclass(value) else None
    if defined is not None:
        yield defined.run_fn
        handlers = (defined.signals, defined.queries, defined.updates)
        yield from (handler.fn for kind in handlers for handler in kind.values())
    elif inspect.isclass(value):
        yield from (fn for fn in vars(value).values() if _is_step(fn))
    elif _is_step(value) and callable(value):
        yield value


def _is_step(value: object) -> bool:
    return callable(value) and activity._Definition.from_callable(value) is not None


def _violations_of_type(hint: Any) -> Iterator[str]:
    if hint is type(None):
        return
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        schemas = [adapter.json_schema(mode=mode) for mode in ("validation", "serialization")]
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema):
        yield ": has no schema"
        return
    found = [place for schema in schemas for place in _walk(schema, schema.get("$defs", {}), "", frozenset())]
    yield from dict.fromkeys(found)


def _walk(node: Any, defs: dict[str, Any], path: str, seen: frozenset[str]) -> Iterator[str]:
    if not isinstance(node, dict):
        yield f"{path}: anything"
        return
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        if name not in seen:
            yield from _walk(defs[name], defs, path, seen | {name})
        return
    alternatives = [item for key in ("anyOf", "oneOf", "allOf") for item in node.get(key, ())]
    if alternatives:
        for item in alternatives:
            yield from _walk(item, defs, path, seen)
        return
    yield from _walk_plain(node, defs, path, seen)


def _walk_plain(node: dict[str, Any], defs: dict[str, Any], path: str, seen: frozenset[str]) -> Iterator[str]:
    kind = node.get("type")
    if "enum" in node or "const" in node or kind in SAFE_TYPES:
        return
    if kind == "string":
        if node.get("format") not in SAFE_FORMATS and node.get("pattern") not in NAMED_PATTERNS:
            yield f"{path}: free text"
    elif kind == "array":
        items = [*node.get("prefixItems", ()), *([node["items"]] if "items" in node else [])]
        for item in items or [None]:
            yield from _walk(item, defs, f"{path}[]", seen)
    elif kind == "object" and node.get("additionalProperties") is False and "patternProperties" not in node:
        for name, value in node.get("properties", {}).items():
            yield from _walk(value, defs, f"{path}.{name}", seen)
    else:
        yield f"{path}: {'an open object' if kind == 'object' else 'anything'}"
