"""What a policy file says that has its shape and cannot be meant: each with its place and a sentence."""

from collections.abc import Callable, Iterator
from functools import partial

from pydantic import JsonValue

from adapters.policy.bundle import Bundle, Rule
from adapters.policy.stricter import OWN_NAMES
from adapters.policy.suggestion import perhaps

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


def strange_words(bundle: Bundle) -> Iterator[Mistake]:
    """Actions, agents and facts that the file does not know, and primitives that cannot be compiled."""
    yield from _agents(bundle)
    for number, rule in enumerate(bundle.rules):
        place: Path = ["rules", number]
        if rule.id in OWN_NAMES:
            # Reasons of the library would take its approval terms instead of those of every level.
            yield place, f"rule {rule.id!r}: the library gives this name as a reason itself; take another"
        for path, sentence in (*_words(bundle, rule), *_uncompiled(bundle, rule)):
            yield [*place, *path], f"rule {rule.id!r}: {sentence}"


def _agents(bundle: Bundle) -> Iterator[Mistake]:
    registered = bundle.agents or {}
    for name, agent in registered.items():
        place: Path = ["agents", name]
        if agent.parent is not None and agent.parent not in registered:
            near = perhaps(agent.parent, registered)
            yield [*place, "parent"], f"agent {name!r}: parent {agent.parent!r} is not registered{near}"
        for action in agent.actions or ():
            if action not in bundle.declared:
                near = perhaps(action, bundle.declared)
                yield [*place, "actions"], f"agent {name!r}: action {action!r} is not declared{near}"


def _words(bundle: Bundle, rule: Rule) -> Iterator[Mistake]:
    for action in rule.action_allowlist.root if rule.action_allowlist else ():
        if action != "*" and action not in bundle.declared:
            near = perhaps(action, bundle.declared)
            yield ["action_allowlist"], f"action {action!r} is not declared{near}"
    for agent in rule.when.agents or ():
        if bundle.agents is not None and agent not in bundle.agents:
            yield ["when", "agents"], f"agent {agent!r} is not registered{perhaps(agent, bundle.agents)}"


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
