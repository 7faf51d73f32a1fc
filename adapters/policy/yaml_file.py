"""Reads YAML from a stranger: nodes with their lines, within bounds of size, depth and number of values.

Nothing is ever constructed from a tag, and what a reviewer cannot see or would misread is refused.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import JsonValue
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from domain.errors import BundleRefused

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 40
MAX_NODES = 50_000
LONGEST_SHOWN = 60
# Control, format (bidi, zero width), surrogate, private and unassigned characters; separators of lines and
# paragraphs that editors and reviews show in different ways.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
NO_NUMBER = 'numbers are whole; amounts are in quotes, such as "50.00"'
PLAIN_TAGS = "tag:yaml.org,2002:"


def read_text(path: Path) -> str:
    """A file's text, no more of it than a policy may have. Raises `BundleRefused`."""
    with path.open("rb") as file:
        read = file.read(MAX_CHARACTERS * 4 + 1)
    try:
        return read.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(read) > MAX_CHARACTERS * 4:
            raise BundleRefused(TOO_LONG) from None
        line = read[: error.start].count(b"\n") + 1
        raise BundleRefused(f"line {line}: it is not UTF-8 text; save it as UTF-8") from None


TOO_LONG = f"it is longer than {MAX_CHARACTERS} characters"


def composed(text: str) -> Node | None:
    """The nodes of one document; None where there is none. Raises `BundleRefused` with the line."""
    if len(text) > MAX_CHARACTERS:
        raise BundleRefused(TOO_LONG)
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        _refuse_unseen(line.removesuffix("\r"), number)
    try:
        root: Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line_number = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BundleRefused(f"line {line_number}: {error.problem or 'is not YAML'}") from None
    except (yaml.YAMLError, ValueError):
        raise BundleRefused("it is not YAML") from None
    return root


def plain(root: Node | None) -> JsonValue:
    """Plain data out of nodes. Raises `BundleRefused`."""
    return _Reading().value(root, 0)


def line_of(node: Node | None, path: Sequence[int | str]) -> int:
    """Of the node at `path`, or of the last one on the way that exists."""
    for part in path:
        following = _child(node, part)
        if following is None:
            continue
        node = following
    return node.start_mark.line + 1 if node is not None else 1


def shown(word: str) -> str:
    """A word of the file, quoted; one that is too long to read is cut."""
    return repr(word if len(word) <= LONGEST_SHOWN else word[:LONGEST_SHOWN] + "…")


class _Loader(yaml.SafeLoader):
    """Nodes only, and not too deep: PyYAML's own recursion would end at the interpreter's limit."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BundleRefused(f"line {self.line + 1}: it is nested too deeply")
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


class _Reading:
    """Plain data out of nodes, within bounds: aliases could make a small file endless."""

    def __init__(self) -> None:
        self._seen = 0

    def value(self, node: Node | None, depth: int) -> JsonValue:
        self._seen += 1
        if depth > MAX_DEPTH:
            raise BundleRefused(f"{_place(node)}it is nested too deeply, perhaps by an alias of itself")
        if self._seen > MAX_NODES:
            raise BundleRefused(f"{_place(node)}it has too many values, perhaps by aliases of aliases")
        if isinstance(node, MappingNode):
            _refuse_tag(node)
            return self._mapping(node, depth)
        if isinstance(node, SequenceNode):
            _refuse_tag(node)
            return [self.value(item, depth + 1) for item in node.value]
        return _scalar(node) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, depth: int) -> JsonValue:
        read: dict[str, JsonValue] = {}
        for word, value in node.value:
            if not isinstance(word, ScalarNode):
                raise BundleRefused(f"{_place(word)}a name must be a word")
            if word.tag == f"{PLAIN_TAGS}merge":
                raise BundleRefused(f"{_place(word)}'<<' takes over words from elsewhere; write them out")
            _refuse_unseen(word.value, word.start_mark.line + 1)
            if word.value in read:
                # YAML would take the last one without a word, and a reviewer may have read the first.
                raise BundleRefused(f"{_place(word)}{shown(word.value)} is written twice")
            read[word.value] = self.value(value, depth + 1)
        return read


def _scalar(node: ScalarNode) -> JsonValue:
    """YAML 1.2's words: `on`, `yes` and dates stay text, so a name means what it says."""
    text: str = node.value
    _refuse_tag(node)
    for offset, line in enumerate(text.split("\n")):
        _refuse_unseen(line, node.start_mark.line + 1 + (offset if node.style in {"|", ">"} else 0))
    if node.style in {"'", '"', "|", ">"}:
        return text
    if text in {"", "~", "null"}:
        return None
    if text in {"true", "false"}:
        return text == "true"
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit():
        if len(digits) > 18:
            raise BundleRefused(f"{_place(node)}the number has more than 18 digits")
        return int(text)
    if node.tag in {f"{PLAIN_TAGS}float", f"{PLAIN_TAGS}int"} and ":" not in text:
        raise BundleRefused(f"{_place(node)}{NO_NUMBER}")
    return text


def _refuse_tag(node: Node) -> None:
    kind = node.tag.removeprefix(PLAIN_TAGS)
    if kind == node.tag or (kind not in RESOLVED):
        raise BundleRefused(f"{_place(node)}{shown(node.tag)} is a tag; write the value without it")


RESOLVED = frozenset({"str", "int", "float", "bool", "null", "map", "seq", "timestamp", "value", "merge"})


def _refuse_unseen(line: str, number: int) -> None:
    if line.isascii() and line.isprintable():
        return
    for character in line:
        if unicodedata.category(character) in UNSEEN and character != "\t":
            called = f"U+{ord(character):04X} ({unicodedata.name(character, 'a control character').lower()})"
            raise BundleRefused(f"line {number}: {called} cannot be seen by who reviews it; take it out")


def _place(node: Node | None) -> str:
    return f"line {node.start_mark.line + 1}: " if node is not None else ""


def _child(node: Node | None, part: int | str) -> Node | None:
    if isinstance(node, MappingNode):
        return next((value for word, value in node.value if word.value == part), None)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: Node = node.value[part]
        return item
    return None
