"""What a policy file says that has its shape and cannot be meant: each with its place and a sentence."""

from collections.abc import Callable, Iterator
from functools import partial

from pydantic import JsonValue

from adapters.policy.bundle import Bundle, Rule
from adapters.policy.stricter import OWN_NAMES

Path = list[int | str]
Mistake = tuple[Path, str]


def left_empty(document: JsonValue, path: Path) -> Iterator[Mistake]:
    """Names with nothing after them: `require:` alone would require nothing."""
    if document is None and path:
        yield path, f"{'.'.join(map(str, path))}: is written and says nothing"
    children = document.items() if isinstance(document, dict) else ()
    for word, value in children:
        yield from left_empty(value, [*path, word])
    for place, value in enumerate(document if isinstance(document, list) else ()):
        yield from left_empty(value, [*path, place])


def strange_rules(bundle: Bundle) -> Iterator[Mistake]:
    """Rules with a name that is taken, and parts of rules that cannot be compiled."""
    for number, rule in enumerate(bundle.rules):
        place: Path = ["rules", number]
        if rule.id in OWN_NAMES:
            # Reasons of the library would take its approval terms instead of those of every level.
            yield place, f"rule {rule.id!r}: the library gives this name as a reason itself; take another"
        for path, sentence in _uncompiled(bundle, rule):
            yield [*place, *path], f"rule {rule.id!r}: {sentence}"


def _uncompiled(bundle: Bundle, rule: Rule) -> Iterator[Mistake]:
    condition = rule.when.condition_of()
    parts: dict[str, Callable[[], object]] = {
        name: partial(primitive.compiled, bundle.fields, rule.when.actions or ())
        for name, primitive in rule.primitives().items()
    }
    if condition is not None:
        parts["when"] = partial(condition.clauses, bundle.fields)
    for name, compiled in parts.items():
        try:
            compiled()
        except KeyError:
            continue  # a condition's field that nobody knows: said where conditions are looked at
        except ValueError as error:
            yield [name], str(error)
