"""Policy tests as tables: a bundle, an input, and rows that change it and name the answer.

`countersign policy test` and the project's own tests run the same tables.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import yaml
from pydantic import Field, JsonValue, TypeAdapter

from adapters.policy.bundle import POLICIES
from adapters.policy.effective import Effective, alone
from adapters.policy.file import parse
from domain.conversation import TextModel
from domain.decision import EngineAnswer, Verdict
from domain.model import Code

PACKS = POLICIES / "packs"
Document = dict[str, JsonValue]


class DocumentEngine(Protocol):
    """An engine that decides a raw document, complete or not."""

    def decide_document(self, document: str) -> EngineAnswer:
        """Never raises."""
        ...


class Row(TextModel):
    """One situation: `set` changes paths of the table's input, null takes a fact away."""

    note: str
    set: dict[str, JsonValue] = Field(default_factory=dict)
    verdict: Verdict
    reason: Code


class Table(TextModel):
    """Rows for one policy: a pack's name, or a policy written in the table."""

    bundle: str | Document
    input: Document
    rows: tuple[Row, ...]

    def policy(self) -> Effective:
        """Raises `BundleRefused`."""
        if isinstance(self.bundle, str):
            return alone(parse(pack(self.bundle).read_text(encoding="utf-8")))
        return alone(parse(json.dumps(self.bundle)))


class Outcome(TextModel):
    """What became of a row; `failure` is None where the answer was right."""

    note: str
    failure: str | None


def pack(name: str) -> Path:
    """The policy file of a starter pack."""
    return PACKS / name / "policy.yaml"


def tables(folder: Path | None = None) -> Iterator[tuple[str, Table]]:
    """Every table of a folder by its name; without one, of all starter packs."""
    paths = folder.glob("*.yaml") if folder else PACKS.glob("*/tests/*.yaml")
    for path in sorted(paths):
        yield path.stem, TypeAdapter(Table).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))


def run(table: Table, load: Callable[[Effective], DocumentEngine]) -> Iterator[Outcome]:
    """Decides every row."""
    engine = load(table.policy())
    for row in table.rows:
        answered = engine.decide_document(json.dumps(changed(table.input, row.set)))
        yield Outcome(note=row.note, failure=_difference(row, answered))


def changed(document: Document, changes: Mapping[str, JsonValue]) -> Document:
    """A copy with other values at dotted paths. Raises `KeyError` for a path that does not exist."""
    copy: Document = json.loads(json.dumps(document))
    for path, value in changes.items():
        place, last = _place(copy, path)
        if value is None:
            del place[last]
        else:
            place[last] = value
    return copy


def _place(document: Document, path: str) -> tuple[Document, str]:
    """The mapping that has the last name of `path`, and that name. Facts and counters have dots in theirs."""
    words, place = path.split("."), document
    while True:
        known = (size for size in range(len(words), 0, -1) if ".".join(words[:size]) in place)
        size = next(known, 1)
        name = ".".join(words[:size])
        if size == len(words):
            return place, name
        below = place.get(name)
        if not isinstance(below, dict):
            raise KeyError(path)
        place, words = below, words[size:]


def _difference(row: Row, answered: EngineAnswer) -> str | None:
    codes = [reason.code for reason in answered.reasons]
    if answered.verdict is row.verdict and row.reason in codes:
        return None
    return f"expected {row.verdict} ({row.reason}), got {answered.verdict} ({', '.join(codes)})"
