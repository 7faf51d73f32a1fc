"""Examples of docs/policy/: YAML blocks are policies or parts of one, tables say what they decide.

A block is a whole file, or keys or rules of one (the rest is in format.md), or `set:` (how the input of the
next tables differs from the one in fields.md). A first line `# organisation.yaml` or `# agent.yaml` names its
level; `# refused` says that the next block without a language is the sentence it is refused with.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from adapters.policy.bundle import Bundle, Level
from adapters.policy.effective import Effective, effective
from adapters.policy.file import parse
from adapters.policy.tables import changed, pack
from adapters.policy.yaml_file import composed, plain

PAGES = Path(__file__).parents[2] / "docs" / "policy"
HEADER = "| what differs | verdict | reason |"
CHANGE = re.compile(r"(without )?`([^`]+)`")
MONEY = re.compile(r"(-?[0-9]+)\.([0-9]{2}) ([A-Z]{3})")
REFUSED = "# refused"
CODE = re.compile(r"`([^`]+)`")
Document = dict[str, Any]


class Block(NamedTuple):
    """A fenced block, with the words of its last heading."""

    page: str
    line: int
    heading: str
    language: str
    text: str

    @property
    def first_line(self) -> str:
        return self.text.split("\n", 1)[0]


class TableRow(NamedTuple):
    """What a page says about a policy and an input."""

    page: str
    line: int
    heading: str
    policies: tuple[Block, ...]
    starts: tuple[Block, ...]
    differs: str
    verdict: str
    reason: str


def text_of(page: str) -> str:
    return (PAGES / page).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """The text below a heading, until the next one of any depth."""
    found: list[str] = []
    inside = fenced = False
    for line in text_of(page).split("\n"):
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            inside = line.lstrip("# ") == heading
        elif inside:
            found.append(line)
    assert found, f"{page} has no section {heading!r}"
    return "\n".join(found)


def cells(page: str, heading: str, header: str) -> list[list[str]]:
    """The rows of the table that begins with `header` in a section."""
    _, found, rest = section(page, heading).partition(f"| {header} |")
    assert found, f"{page}, {heading}: no table begins with {header!r}"
    rows = rest.split("\n\n", 1)[0].split("\n")[2:]
    return [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows if row]


def code_of(cell: str) -> str:
    return str(CODE.findall(cell)[0])


def blocks(page: str) -> Iterator[Block]:
    yield from (each for each in _parts(page) if isinstance(each, Block))


def table_rows(page: str) -> Iterator[TableRow]:
    """Rows of the tables that say verdicts, with what stands above them in their chapter."""
    policies: list[Block] = []
    starts: list[Block] = []
    after_table = False
    for each in _parts(page):
        if isinstance(each, str):
            if each.startswith("## "):
                policies, starts = [], []
            continue
        if isinstance(each, Block):
            kind = starts if each.text.startswith("set:") else policies
            if after_table or kind is starts:
                kind.clear()
            kind.append(each)
            after_table = False
            continue
        after_table = True
        yield each._replace(policies=tuple(policies), starts=tuple(starts))


def _parts(page: str) -> Iterator[Block | str | TableRow]:
    """Headings, blocks and rows of verdict tables, in the order of the page."""
    heading, fence, held, in_table = "", None, [], False
    for number, line in enumerate(text_of(page).split("\n"), 1):
        if fence is not None and line != "```":
            held.append(line)
        elif fence is not None:
            yield Block(page, number - len(held), heading, fence, "\n".join(held) + "\n")
            fence, held = None, []
        elif line.startswith("```"):
            fence = line.removeprefix("```")
        elif line.startswith("#"):
            heading, in_table = line.lstrip("# "), False
            yield line
        elif line == HEADER:
            in_table = True
        elif in_table and line.startswith("| "):
            differs, verdict, reason = (cell.strip() for cell in line.strip("|").split("|"))
            yield TableRow(page, number, heading, (), (), differs, verdict.strip("`"), reason.strip("`"))
        elif not line.startswith("|"):
            in_table = False


def whole(block: Block) -> str:
    """A policy file: the block itself, or put into the file of format.md."""
    written = yaml.safe_load(block.text)
    if isinstance(written, dict) and "schema_version" in written:
        return block.text
    # Read as policies are, so that an unquoted date or hour means what it says.
    part = _plain(block.text)
    more = {"rules": part} if isinstance(part, list) else part
    return yaml.safe_dump({**_rest(), **more}, sort_keys=False)


@lru_cache(maxsize=1)
def _rest() -> Document:
    [block] = re.findall(r"```yaml\n(.*?)```", section("format.md", "The rest of the file"), re.DOTALL)
    return dict(yaml.safe_load(block))


@lru_cache(maxsize=1)
def start() -> Document:
    """The input of fields.md that every table starts from."""
    [block] = re.findall(r"```yaml\n(.*?)```", section("fields.md", "An input"), re.DOTALL)
    return dict(_plain(block))


@lru_cache(maxsize=64)
def decided_by(policies: tuple[Block, ...], heading: str) -> Effective:
    """The policies above a table as one; a chapter with the name of a pack is about the pack."""
    if not policies:
        return effective({Level.TENANT: parse(pack(heading).read_text(encoding="utf-8"))})
    return effective({level_of(block): read(block) for block in policies})


def read(block: Block) -> Bundle:
    return parse(whole(block))


def level_of(block: Block) -> Level:
    named = re.fullmatch(r"# (organisation|tenant|agent)\.yaml", block.first_line)
    return Level(named[1]) if named else Level.TENANT


def input_of(row: TableRow) -> Document:
    """The input a row is about."""
    document = start()
    for block in row.starts:
        document = _merged(document, _plain(block.text)["set"])
    for without, change in CHANGE.findall(row.differs):
        path, _, value = change.partition(": ")
        document = changed(document, {path: None}) if without else _put(document, path, _value(value))
    return document


def _merged(document: Document, more: Document) -> Document:
    together = dict(document)
    for name, value in more.items():
        kept = together.get(name)
        deeper = isinstance(kept, dict) and isinstance(value, dict)
        together[name] = _merged(dict(kept or {}), value) if deeper else value
    return together


def _put(document: Document, path: str, value: Any) -> Document:
    """`facts.` and `counters.` hold names with dots of their own."""
    for prefix in ("facts.", "counters.", "action.arguments."):
        if path.startswith(prefix):
            *way, _ = prefix.split(".")
            held = document
            for word in way:
                held = held.get(word, {})
            return changed(document, {".".join(way): {**held, path.removeprefix(prefix): value}})
    return changed(document, {path: value})


def _value(written: str) -> Any:
    money = MONEY.fullmatch(written)
    if money:
        minor_units = int(money[1] + money[2])
        return {"minor_units": minor_units, "currency": money[3]}
    return _plain(written)


def _plain(text: str) -> Any:
    return plain(composed(text))
