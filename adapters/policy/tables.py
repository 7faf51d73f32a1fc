"""Policy tests as tables: a bundle, an input, and rows that change it and name the answer.

`countersign policy test` and the project's own tests run the same tables.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import yaml
from pydantic import Field, JsonValue, TypeAdapter, ValidationError

from adapters.policy.bundle import POLICIES
from adapters.policy.effective import Effective, alone
from adapters.policy.file import parse, read_file
from adapters.policy.yaml_file import read_text
from domain.conversation import TextModel
from domain.decision import EngineAnswer, Verdict
from domain.errors import BundleRefused
from domain.model import Code

PACKS = POLICIES / "packs"
POLICY = "policy.yaml"
POLICY_FILES = (".yaml", ".yml", ".json")
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


class TableUnusable(Exception):
    """A table cannot be read or run."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"Table {name!r} cannot be used: {why}")


class Table(TextModel):
    """Rows for one policy: a pack's name, a file beside the table, or a policy written in the table."""

    bundle: str | Document
    input: Document
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        """Of its policy."""
        return self.bundle if isinstance(self.bundle, str) else str(self.bundle.get("name"))

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
    """Every table of a folder by its name; without one, of all starter packs. Raises `TableUnusable`."""
    paths = folder.glob("*.yaml") if folder else PACKS.glob("*/tests/*.yaml")
    for path in sorted(path for path in paths if path.name != POLICY):
        yield path.stem, _read(path)


def run(table: Table, load: Callable[[Effective], DocumentEngine]) -> Iterator[Outcome]:
    """Decides every row."""
    engine = load(table.policy())
    for row in table.rows:
        try:
            document = changed(table.input, row.set)
        except KeyError as error:
            yield Outcome(note=row.note, failure=f"the input has no place {error.args[0]!r}")
            continue
        answered = engine.decide_document(json.dumps(document))
        yield Outcome(note=row.note, failure=_difference(row, answered))


def _read(path: Path) -> Table:
    try:
        document = yaml.safe_load(read_text(path))
        table = TypeAdapter(Table).validate_python(document)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TableUnusable(path.name, f"line {line}: {error.problem or 'is not YAML'}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise TableUnusable(path.name, _why(error)) from None
    except BundleRefused as refused:
        raise TableUnusable(path.name, refused.why) from None
    return table.model_copy(update={"bundle": _beside(path, table.bundle)})


def _why(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "it is not YAML"
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"


def _beside(path: Path, bundle: str | Document) -> str | Document:
    """A policy file that the table names, as what is written in it."""
    if not isinstance(bundle, str):
        return bundle
    if not bundle.endswith(POLICY_FILES):
        if pack(bundle).exists():
            return bundle
        raise TableUnusable(path.name, f"there is no starter pack {bundle!r}; a file is named with .yaml")
    file = path.parent / bundle
    try:
        return read_file(file).content()
    except FileNotFoundError:
        raise TableUnusable(path.name, f"there is no file {bundle!r} beside it") from None


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
