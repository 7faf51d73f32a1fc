"""What is different between two policy files, field by field, as their authors write it.

Order, layout, comments and defaults that one of both writes out are no differences: they change no answer.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

from adapters.policy.bundle import Bundle
from adapters.policy.primitives._base import Asked

Path = tuple[str | int, ...]
NOT_THERE = "not there"


class DifferenceKind(StrEnum):
    """What became of a rule or a field."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


@dataclass(frozen=True)
class Difference:
    """One field with both values, a whole rule, or a rule's name; None is a side that has nothing there."""

    kind: DifferenceKind
    rule: str | None  # by its name after the change; None for what is outside of rules
    path: str  # below the rule or the file; empty for a whole rule
    before: JsonValue = None
    after: JsonValue = None

    def said(self) -> str:
        """For people."""
        where = f"rule {self.rule}" if self.rule is not None else self.path
        if self.kind is DifferenceKind.RENAMED:
            return f"rule {self.before} is now called {self.after}"
        if self.path == "":
            happened = "is new" if self.kind is DifferenceKind.ADDED else "is gone"
            body = self.after if self.kind is DifferenceKind.ADDED else self.before
            return f"{where} {happened}: {_written(body)}"
        field = f"{where}: {self.path}" if self.rule is not None else where
        return f"{field}: {_written(self.before)} → {_written(self.after)}"


def differences(before: Bundle, after: Bundle) -> tuple[Difference, ...]:
    """In the order of the file: what is outside of rules first. Nothing where both say the same."""
    was, is_ = _Side(before), _Side(after)
    return (*_fields(was.rest, is_.rest), *_rules(was.rules, is_.rules))


class _Side:
    """A file as it is compared, beside what its author wrote of it."""

    def __init__(self, bundle: Bundle) -> None:
        whole = bundle.model_dump(mode="json", by_alias=True, exclude_none=True)
        written = bundle.content()
        whole.setdefault("default", Asked.DENY.value)
        self.rules = _by_name(whole.pop("rules"), written.pop("rules", []))
        self.rest = _Part(whole, written)


class _Part:
    """A part with every default, and without."""

    def __init__(self, whole: dict[str, Any], written: Any) -> None:
        self.whole, self.written = whole, written

    def at(self, path: Path) -> JsonValue:
        """What the author wrote there, None where there is nothing."""
        for source in (self.written, self.whole):
            found: Any = source
            for word in path:
                found = _child(found, word)
            if found is not None:
                return found  # type: ignore[no-any-return]  # JSON
        return None


def _by_name(whole: list[Any], written: Any) -> dict[str, _Part]:
    return {
        full.pop("id"): _Part(_flat(full), _flat({name: each for name, each in own.items() if name != "id"}))
        for full, own in zip(whole, written, strict=True)
    }


def _flat(rule: dict[str, Any]) -> dict[str, Any]:
    """Terms of its own stand beside each other in a file."""
    asked = rule.get("require_approval", {})
    return {**rule, "require_approval": asked["terms"]} if "terms" in asked else rule


def _rules(before: Mapping[str, _Part], after: Mapping[str, _Part]) -> Iterator[Difference]:
    names = _renamed(before, after)
    for name, part in before.items():
        if name not in after and name not in names:
            yield Difference(DifferenceKind.REMOVED, name, "", before=part.at(()))
    for name, part in after.items():
        earlier = next((old for old, new in names.items() if new == name), name)
        if earlier not in before or (earlier in names and names[earlier] != name):
            yield Difference(DifferenceKind.ADDED, name, "", after=part.at(()))
            continue
        if earlier != name:
            yield Difference(DifferenceKind.RENAMED, name, "id", before=earlier, after=name)
        yield from _fields(before[earlier], part, name)


def _renamed(before: Mapping[str, _Part], after: Mapping[str, _Part]) -> dict[str, str]:
    """Old names by new ones: rules that went and came with the same body."""
    came = {name: _body(part) for name, part in after.items() if name not in before}
    names: dict[str, str] = {}
    for name, part in before.items():
        body = _body(part)
        new = next((each for each, its in came.items() if its == body), None)
        if name not in after and new is not None:
            names[name] = new
            del came[new]
    return names


def _body(part: _Part) -> str:
    said = {name: each for name, each in part.whole.items() if name != "description"}
    return json.dumps(_unordered(said), sort_keys=True)


def _fields(before: _Part, after: _Part, rule: str | None = None) -> Iterator[Difference]:
    for path in _different(before.whole, after.whole, ()):
        was, is_ = before.at(path), after.at(path)
        kind = DifferenceKind.CHANGED
        if _child_at(before.whole, path) is None:
            kind = DifferenceKind.ADDED
        elif _child_at(after.whole, path) is None:
            kind = DifferenceKind.REMOVED
        yield Difference(kind, rule, ".".join(map(str, path)), before=was, after=is_)


def _different(before: JsonValue, after: JsonValue, path: Path) -> Iterator[Path]:
    """Down to the smallest parts that both sides have and that differ."""
    if _unordered(before) == _unordered(after):
        return
    if isinstance(before, dict) and isinstance(after, dict) and not _another_condition(before, after):
        for name in dict.fromkeys((*before, *after)):
            yield from _different(before.get(name), after.get(name), (*path, name))
    elif _listed(before, after):
        for place, (left, right) in enumerate(zip(before, after, strict=True)):  # type: ignore[arg-type]  # listed
            yield from _different(left, right, (*path, place))
    else:
        yield path


def _another_condition(before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> bool:
    """Conditions of different shape have no parts in common that mean anything by themselves."""
    shapes = [frozenset(part) for part in (before, after)]
    return shapes[0] != shapes[1] and all(shape & {"field", "all", "any", "not"} for shape in shapes)


def _listed(before: JsonValue, after: JsonValue) -> bool:
    """Lists of parts, each of which can be compared with its counterpart."""
    both = isinstance(before, list) and isinstance(after, list) and len(before) == len(after)
    return both and all(isinstance(each, dict) for each in (*before, *after))  # type: ignore[misc]  # lists


def _unordered(said: JsonValue) -> JsonValue:
    """Lists of words in one order: what they list is what counts."""
    if isinstance(said, dict):
        return {name: _unordered(each) for name, each in said.items()}
    if isinstance(said, list):
        if all(isinstance(each, str) for each in said):
            return [*sorted(set(map(str, said)))]
        return [_unordered(each) for each in said]
    return said


def _child_at(said: Any, path: Path) -> Any:
    for word in path:
        said = _child(said, word)
    return said


def _child(said: Any, word: str | int) -> Any:
    if isinstance(said, dict):
        return said.get(word)
    if isinstance(said, list) and isinstance(word, int) and word < len(said):
        return said[word]
    return None


def _written(said: JsonValue) -> str:
    return NOT_THERE if said is None else json.dumps(said, ensure_ascii=False)
