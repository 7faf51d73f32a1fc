"""What decides for a tenant and an agent: the levels of policy merged into one document for engines.

Each level decides by itself and the strictest answer wins: a level can tighten another, never loosen it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue

from adapters.policy.bundle import Bundle, Level, Rule, canonical, digest, library_digest
from adapters.policy.primitives._base import Asked, Counter, Per
from domain.errors import BundleRefused
from domain.model import Digest


@dataclass(frozen=True)
class Effective:
    """The compiled document and its name."""

    document: Mapping[str, JsonValue]
    sources: Mapping[str, JsonValue]  # what authors wrote, by level

    @cached_property
    def content(self) -> str:
        """Canonical JSON with the library's digest: what is stored, and what the version names."""
        return canonical(
            {"document": dict(self.document), "library": library_digest(), "sources": dict(self.sources)}
        )

    @cached_property
    def version(self) -> Digest:
        """SHA-256 over what was written, what was compiled from it, and the library."""
        return digest(self.content.encode())

    @cached_property
    def counters(self) -> tuple[Counter, ...]:
        """What must be counted before a decision."""
        listed = self.document["counters"]
        assert isinstance(listed, list)  # noqa: S101 - compiled below
        return tuple(_counter(each) for each in listed)

    def counters_of(self, action: str) -> tuple[Counter, ...]:
        """Those of one action."""
        return tuple(counter for counter in self.counters if counter.action == action)


def effective(levels: Mapping[Level, Bundle]) -> Effective:
    """Merges them, widest first. The same levels give the same document. Raises `BundleRefused`."""
    ordered = [(level, levels[level]) for level in Level if level in levels]
    compiled_levels: list[JsonValue] = []
    rules: list[JsonValue] = []
    counters: set[Counter] = set()
    declared: dict[str, JsonValue] = {}
    for place, (level, bundle) in enumerate(ordered):
        compiled_levels.append(_level(level, bundle, len(rules)))
        rules += [_rule(level, place, rule, bundle) for rule in bundle.rules]
        counters |= {counter for rule in bundle.rules for counter in rule.counters()}
        declared |= _declared(bundle, declared)
    return Effective(
        {
            "levels": compiled_levels,
            "rules": rules,
            "declared": declared,
            "counters": [[each.action, each.per.value, each.within_s] for each in sorted(counters)],
        },
        {level.value: bundle.content() for level, bundle in ordered},
    )


def alone(bundle: Bundle, level: Level = Level.TENANT) -> Effective:
    """One file by itself. Raises `BundleRefused`."""
    return effective({level: bundle})


def read_effective(content: str) -> Effective:
    """What `Effective.content` wrote; the version is that of this release. Raises `BundleRefused`."""
    try:
        stored = json.loads(content)
        document, sources = stored["document"], stored["sources"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BundleRefused("it is not a compiled policy") from None
    return Effective(document, sources)


def rule_name(level: Level, rule: str) -> str:
    """As reasons name it: a rule of the tenant by its name, others with their level."""
    return rule if level is Level.TENANT else f"{level.value}.{rule}"


def _level(level: Level, bundle: Bundle, first: int) -> JsonValue:
    index: dict[str, list[JsonValue]] = {}
    for place, rule in enumerate(bundle.rules, first):
        for action in rule.when.actions or ("*",):
            index.setdefault(action, []).append(place)
    compiled: dict[str, JsonValue] = {
        "name": level.value,
        "default": (bundle.default or Asked.DENY).value,
        "rules_of": dict(index),
        "arguments": {
            name: {argument: each.compiled() for argument, each in action.arguments.items()}
            for name, action in bundle.actions.items()
        },
        "max_chain": bundle.max_chain,
    }
    if bundle.approval is not None:
        compiled["approval"] = bundle.approval.obligations()
    if bundle.agents is not None:
        compiled["agents"] = {
            name: agent.model_dump(mode="json", exclude_none=True) for name, agent in bundle.agents.items()
        }
    return compiled


def _rule(level: Level, place: int, rule: Rule, bundle: Bundle) -> JsonValue:
    actions = rule.when.actions or ()
    compiled: dict[str, JsonValue] = {"id": rule_name(level, rule.id), "level": place}
    if rule.must_hold:
        compiled["must_hold"] = True
    condition = rule.when.condition_of()
    try:
        if condition is not None:
            compiled["when"] = condition.clauses(bundle.fields)  # type: ignore[assignment]  # JSON
        for name, primitive in rule.primitives().items():
            compiled[name] = primitive.compiled(bundle.fields, actions)
    except ValueError as error:
        raise BundleRefused(f"rule {rule.id!r}: {error}") from None
    return compiled


def _declared(bundle: Bundle, before: Mapping[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    """The strictest band of any level."""
    order = ("low", "medium", "high")
    for name, band in bundle.declared.items():
        held = before.get(name)
        kept = held["band"] if isinstance(held, dict) else "low"
        strictest = max((str(kept), band.value), key=order.index)
        yield name, {"band": strictest, "built_in": name not in bundle.actions}


def _counter(listed: JsonValue) -> Counter:
    assert isinstance(listed, list)  # noqa: S101 - compiled above
    action, per, within = listed
    return Counter(str(action), Per(str(per)), int(str(within)))
