"""Reads a policy file and says where it is wrong: line, path, what is expected, what was perhaps meant."""

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import yaml
from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from adapters.policy import first_version
from adapters.policy.bundle import Bundle, FactType
from adapters.policy.effective import alone
from adapters.policy.mistaken import left_empty, strange_words
from domain.errors import BundleRefused

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 40
MAX_NODES = 50_000
OF_OURS = frozenset({"[key]", "a number", "amounts"})  # parts of a path that no author wrote
SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a word this file knows",
    "string_pattern_mismatch": "must be a word of small letters, digits and _, such as refund_request",
    "tuple_type": "must be a list, such as [this, that]",
    "list_type": "must be a list, such as [this, that]",
    "too_short": "must not be empty",
    "model_type": "must have words below it, such as {word: value}",
}


def parse(text: str) -> Bundle:
    """YAML or JSON. Raises `BundleRefused` with everything that is wrong, in the order of the file."""
    if len(text) > MAX_CHARACTERS:
        raise BundleRefused(f"it is longer than {MAX_CHARACTERS} characters")
    root = _composed(text)
    document = _plain(root)
    if isinstance(document, dict) and document.get("schema_version") == 1:
        document = first_version.translated(document)
    empty = [f"line {_line(root, path)}, {sentence}" for path, sentence in left_empty(document, [])]
    if empty:
        raise BundleRefused("; ".join(empty))
    try:
        bundle = Bundle.model_validate_json(json.dumps(document))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise BundleRefused("; ".join(_sentences(root, found))) from None
    wrong = [*_mistaken(bundle, root)]
    if wrong:
        raise BundleRefused("; ".join(wrong))
    alone(bundle)  # compiles, or says why not
    return bundle


def read_published(content: str) -> Bundle:
    """The file in `Effective.content`, or what an earlier release stored. Raises `BundleRefused`."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise BundleRefused("it is not a published policy") from None
    if not isinstance(document, dict) or not isinstance(document.get("sources", {}), dict):
        raise BundleRefused("it is not a published policy")
    # The first release stored one document; today's sources are by level.
    document = document.get("bundle") or document.get("sources", {}).get("tenant")
    return parse(json.dumps(document, indent=1))


class _Loader(yaml.SafeLoader):
    """Nodes only: no value is ever constructed from a tag."""


def _composed(text: str) -> Node | None:
    try:
        root: Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BundleRefused(f"line {line}: {error.problem or 'is not YAML'}") from None
    except (yaml.YAMLError, ValueError):
        raise BundleRefused("it is not YAML") from None
    except RecursionError:
        raise BundleRefused("it is nested too deeply") from None
    return root


def _plain(root: Node | None) -> JsonValue:
    return _Reading().value(root, 0)


class _Reading:
    """Plain data out of nodes, within bounds: aliases could make a small file endless."""

    def __init__(self) -> None:
        self._seen = 0

    def value(self, node: Node | None, depth: int) -> JsonValue:
        self._seen += 1
        if depth > MAX_DEPTH:
            raise BundleRefused("it is nested too deeply")
        if self._seen > MAX_NODES:
            raise BundleRefused("it has too many values")
        if isinstance(node, MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        return _scalar(node) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, depth: int) -> JsonValue:
        read: dict[str, JsonValue] = {}
        for word, value in node.value:
            if not isinstance(word, ScalarNode):
                raise BundleRefused(f"line {word.start_mark.line + 1}: a name must be a word")
            if word.value in read:
                # YAML would take the last one without a word, and a reviewer may have read the first.
                raise BundleRefused(f"line {word.start_mark.line + 1}: {word.value!r} is written twice")
            read[word.value] = self.value(value, depth + 1)
        return read


def _scalar(node: ScalarNode) -> JsonValue:
    """YAML 1.2's words: `on`, `yes` and dates stay text, so a name means what it says."""
    text: str = node.value
    if node.style in {"'", '"', "|", ">"}:
        return text
    if text in {"", "~", "null"}:
        return None
    if text in {"true", "false"}:
        return text == "true"
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:
        return int(text)
    if node.tag == "tag:yaml.org,2002:float":
        raise BundleRefused(
            f'line {node.start_mark.line + 1}: numbers are whole; amounts are in quotes, such as "50.00"'
        )
    return text


def _sentences(root: Node | None, found: Sequence[ErrorDetails]) -> Iterator[str]:
    for each in found:
        if each["type"] == "too_short" and any(_below(other["loc"], each["loc"]) for other in found):
            continue  # only because what it has is wrong
        path = [part for part in each["loc"] if part not in OF_OURS]
        what = SENTENCES.get(each["type"], each["msg"].removeprefix("Value error, "))
        if each["type"] == "extra_forbidden":
            what += _perhaps(str(path[-1]), _words_at(path[:-1]))
        yield f"line {_line(root, path)}, {'.'.join(map(str, path)) or 'file'}: {what}"


def _below(loc: Sequence[int | str], above: Sequence[int | str]) -> bool:
    return len(loc) > len(above) and loc[: len(above)] == above


def _perhaps(word: str, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, [*words], n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _words_at(path: Sequence[int | str]) -> Iterator[str]:
    """What the file knows at a place."""
    model: Any = Bundle
    for part in path:
        fields = getattr(model, "model_fields", {})
        if isinstance(part, str) and part in fields:
            model = _model_in(fields[part].annotation)
    for name, field in getattr(model, "model_fields", {}).items():
        yield field.alias or name


def _model_in(annotation: Any) -> Any:
    if hasattr(annotation, "model_fields"):
        return annotation
    inner = [_model_in(each) for each in getattr(annotation, "__args__", ())]
    return next((each for each in inner if each is not None), None)


def _mistaken(bundle: Bundle, root: Node | None) -> Iterator[str]:
    """Names of actions and fields that nobody knows, and comparisons that a field's type has not."""
    yield from _mistaken_amounts(bundle, root)
    yield from (f"line {_line(root, path)}, {sentence}" for path, sentence in strange_words(bundle))
    known = bundle.declared
    for number, rule in enumerate(bundle.rules):
        line = _line(root, ["rules", number])
        for action in rule.when.actions or ():
            if action not in known:
                near = _perhaps(action, known)
                yield f"line {line}, rule {rule.id!r}: action {action!r} is not declared{near}"
        for condition in (rule.when.condition, *(each.condition for each in _requirements(rule))):
            if condition is None:
                continue
            for name in condition.unknown_fields(bundle.fields):
                near = _perhaps(name, bundle.fields.types)
                yield f"line {line}, rule {rule.id!r}: the input has no field {name!r}{near}"
            for mistake in condition.mistaken(bundle.fields):
                yield f"line {line}, rule {rule.id!r}: {mistake}"


def _mistaken_amounts(bundle: Bundle, root: Node | None) -> Iterator[str]:
    amounts = [name for name, kind in bundle.facts.items() if kind is FactType.AMOUNT]
    for action, declared in bundle.actions.items():
        expression = declared.amount
        for name in (*expression.sum, *expression.less) if expression is not None else ():
            if name not in amounts:
                line = _line(root, ["actions", action, "amount"])
                near = _perhaps(name.removeprefix("facts."), amounts)
                yield f"line {line}, action {action!r}: {name!r} is not declared as an amount in facts{near}"


def _requirements(rule: Any) -> Any:
    return rule.require.root if rule.require else ()


def _line(node: Node | None, path: Sequence[int | str]) -> int:
    """Of the node at `path`, or of the last one on the way that exists."""
    for part in path:
        following = _child(node, part)
        if following is None:
            continue
        node = following
    return node.start_mark.line + 1 if node is not None else 1


def _child(node: Node | None, part: int | str) -> Node | None:
    if isinstance(node, MappingNode):
        return next((value for word, value in node.value if word.value == part), None)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: Node = node.value[part]
        return item
    return None
