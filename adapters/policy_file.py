"""Reads a policy file and says where it is wrong: line, path and what is expected, never what was written."""

import json
from collections.abc import Iterator, Sequence

import yaml
from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import MappingNode, Node, SequenceNode

from adapters.policy_bundle import Bundle
from domain.errors import BundleRefused

MAX_CHARACTERS = 256 * 1024
SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a word this file knows",
}


def parse(text: str) -> Bundle:
    """Raises `BundleRefused` with everything that is wrong, in the order of the file."""
    if len(text) > MAX_CHARACTERS:
        raise BundleRefused(f"it is longer than {MAX_CHARACTERS} characters")
    document = _json(text)
    try:
        return Bundle.model_validate_json(json.dumps(document))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise BundleRefused("; ".join(_sentences(text, found))) from None


def read_published(content: str) -> Bundle:
    """What `Bundle.published` wrote. Raises `BundleRefused`.

    Its version is that of the library in this release, so decisions name the rules that made them.
    """
    document = _json(content)
    if not isinstance(document, dict):
        raise BundleRefused("it is not a published policy")
    return parse(json.dumps(document.get("bundle"), indent=1))


def _json(text: str) -> JsonValue:
    try:
        document: JsonValue = json.loads(text, object_pairs_hook=_no_word_twice)
    except json.JSONDecodeError as error:
        raise BundleRefused(f"line {error.lineno}: {error.msg}") from None
    except RecursionError:
        raise BundleRefused("it is nested too deeply") from None
    return document


def _no_word_twice(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    # JSON would take the last one without a word, and a reviewer may have read the first.
    words = [word for word, _ in pairs]
    twice = next((word for word in words if words.count(word) > 1), None)
    if twice is not None:
        raise BundleRefused(f"{twice!r} is written twice")
    return dict(pairs)


def _sentences(text: str, found: Sequence[ErrorDetails]) -> Iterator[str]:
    root = yaml.compose(text)  # JSON is YAML, and YAML knows the lines
    for each in found:
        path = [part for part in each["loc"] if part != "[key]"]
        what = SENTENCES.get(each["type"], each["msg"].removeprefix("Value error, "))
        yield f"line {_line(root, path)}, {'.'.join(map(str, path)) or 'file'}: {what}"


def _line(node: Node | None, path: Sequence[int | str]) -> int:
    """Of the node at `path`, or of the last one on the way that exists."""
    for part in path:
        following = _child(node, part)
        if following is None:
            break
        node = following
    return node.start_mark.line + 1 if node is not None else 1


def _child(node: Node | None, part: int | str) -> Node | None:
    if isinstance(node, MappingNode):
        return next((value for word, value in node.value if word.value == part), None)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: Node = node.value[part]
        return item
    return None
