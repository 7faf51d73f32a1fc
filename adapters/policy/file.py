"""Reads a policy file and says where it is wrong: line, path, what is expected, what was perhaps meant."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import Node

from adapters.policy import first_version
from adapters.policy.bundle import Bundle, FactType
from adapters.policy.effective import alone
from adapters.policy.mistaken import left_empty, strange_rules
from adapters.policy.suggestion import perhaps
from adapters.policy.yaml_file import composed, line_of, plain, read_text, shown
from domain.errors import BundleRefused

MOST_MISTAKES = 10
EMPTY = "it is empty; a policy begins with `schema_version: 2` and a name"
# Parts of a path that no author wrote.
OF_OURS = frozenset({"[key]", "a flag", "a number", "a word", "amounts"})
SPANS = frozenset({"after", "expires_in", "remind_every", "within"})
OUT_OF_BOUNDS = frozenset({"greater_than_equal", "less_than_equal"})
SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a word this file knows",
    "string_pattern_mismatch": "must be a word of small letters, digits and _, such as refund_request",
    "tuple_type": "must be a list, such as [this, that]",
    "list_type": "must be a list, such as [this, that]",
    "too_short": "must not be empty",
    "string_type": "must be a word",
    "model_type": "must have words below it, such as {word: value}",
}


def parse(text: str) -> Bundle:
    """YAML or JSON. Raises `BundleRefused` with everything that is wrong, in the order of the file."""
    root = composed(text)
    document = plain(root)
    if document is None:
        raise BundleRefused(EMPTY)
    if isinstance(document, dict) and document.get("schema_version") == 1:
        document = first_version.translated(document)
    empty = _first(f"line {line_of(root, path)}, {said}" for path, said in left_empty(document, []))
    if empty:
        raise BundleRefused(empty)
    try:
        bundle = Bundle.model_validate_json(json.dumps(document))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise BundleRefused(_first(_sentences(root, found))) from None
    wrong = _first(_mistaken(bundle, root))
    if wrong:
        raise BundleRefused(wrong)
    alone(bundle)  # compiles, or says why not
    return bundle


def read_file(path: Path) -> Bundle:
    """A policy file. Raises `BundleRefused` that begins with the file's name."""
    try:
        return parse(read_text(path))
    except BundleRefused as refused:
        raise BundleRefused(f"{path.name}: {refused.why}") from None


def _first(mistakes: Iterator[str]) -> str:
    """Enough to begin with: a file that is no policy at all has thousands."""
    found = [*islice(mistakes, MOST_MISTAKES)]
    more = "; there is more" if next(mistakes, None) is not None else ""
    return "; ".join(found) + more


def _sentences(root: Node | None, found: Sequence[ErrorDetails]) -> Iterator[str]:
    wrong_inside = {each["loc"][:size] for each in found for size in range(len(each["loc"]))}
    for each in found:
        if each["type"] == "too_short" and each["loc"] in wrong_inside:
            continue  # only because what it has is wrong
        path = [part for part in each["loc"] if part not in OF_OURS]
        what = _said(each, path)
        yield f"line {line_of(root, path)}, {_dotted(path)}: {what}"


def _said(each: ErrorDetails, path: Sequence[int | str]) -> str:
    if each["type"] in OUT_OF_BOUNDS and path[-1] in SPANS:
        return 'must be from "1min" to "366d"'
    what = SENTENCES.get(each["type"], each["msg"].removeprefix("Value error, "))
    what = what.replace("Input should be True", "must be true, or left out")
    if each["type"] == "extra_forbidden":
        what += perhaps(str(path[-1]), _words_at(path[:-1]))
    return what


def _dotted(path: Sequence[int | str]) -> str:
    return ".".join(shown(str(part)).strip("'") for part in path) or "file"


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
    yield from (f"line {line_of(root, path)}, {sentence}" for path, sentence in strange_rules(bundle))
    known = bundle.declared
    for number, rule in enumerate(bundle.rules):
        line = line_of(root, ["rules", number])
        for action in rule.when.actions or ():
            if action not in known:
                near = perhaps(action, known)
                yield f"line {line}, rule {rule.id!r}: action {shown(action)} is not declared{near}"
        for condition in (rule.when.condition, *(each.condition for each in _requirements(rule))):
            if condition is None:
                continue
            for name in condition.unknown_fields(bundle.fields):
                near = perhaps(name, bundle.fields.types)
                yield f"line {line}, rule {rule.id!r}: the input has no field {shown(name)}{near}"
            for mistake in condition.mistaken(bundle.fields):
                yield f"line {line}, rule {rule.id!r}: {mistake}"


def _mistaken_amounts(bundle: Bundle, root: Node | None) -> Iterator[str]:
    amounts = [name for name, kind in bundle.facts.items() if kind is FactType.AMOUNT]
    for action, declared in bundle.actions.items():
        expression = declared.amount
        for name in (*expression.sum, *expression.less) if expression is not None else ():
            if name not in amounts:
                line = line_of(root, ["actions", action, "amount"])
                near = perhaps(name.removeprefix("facts."), amounts)
                what = f"{shown(name)} is not declared as an amount in facts{near}"
                yield f"line {line}, action {action!r}: {what}"


def _requirements(rule: Any) -> Any:
    return rule.require.root if rule.require else ()
