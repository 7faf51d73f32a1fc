"""A level's rules as engines read them, so that two sides of a change can be compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue

from adapters.policy.bundle import PRIMITIVES, Bundle, Rule, canonical
from adapters.policy.primitives._base import Asked
from adapters.policy.primitives.require_approval import Terms
from adapters.policy.stricter_conditions import Clauses


@dataclass(frozen=True)
class RuleSide:
    """A rule as engines read it."""

    id: str
    actions: frozenset[str] | None
    when: Clauses
    checks: Mapping[str, JsonValue]
    own: Terms | None

    @cached_property
    def body(self) -> str:
        """The same for rules that mean the same; names do not count."""
        actions = sorted(self.actions) if self.actions is not None else None
        return canonical({"actions": actions, "when": self.when, "checks": dict(self.checks)})  # type: ignore[dict-item]  # JSON

    @cached_property
    def weight(self) -> int:
        """Literals and leaves."""
        return sum(map(len, self.when or ())) + sum(map(_leaves, self.checks.values())) + 1

    def about(self, action: str) -> bool:
        """Whether it can match the action."""
        return self.actions is None or action in self.actions


@dataclass(frozen=True)
class LevelSide:
    """One level before or after. `borrowed` are the terms of rules without their own."""

    rules: Mapping[str, RuleSide]
    default: Asked
    borrowed: Terms | None

    @classmethod
    def of(cls, bundle: Bundle, borrowed: Terms | None) -> "LevelSide":
        """Compiled. Raises `ValueError`."""
        rules = {rule.id: _rule_side(rule, bundle) for rule in bundle.rules}
        return cls(rules, bundle.default or Asked.DENY, borrowed)

    def about(self, action: str) -> tuple[RuleSide, ...]:
        """The rules that can match it."""
        return self._indexed(action)[0]

    def granting(self, action: str) -> tuple[RuleSide, ...]:
        """The rules that may grant it."""
        return self._indexed(action)[1]

    def _indexed(self, action: str) -> tuple[tuple[RuleSide, ...], tuple[RuleSide, ...]]:
        if action not in self._index:
            about = tuple(rule for rule in self.rules.values() if rule.about(action))
            grants = (rule for rule in about if any(may_grant(rule, name, action) for name in rule.checks))
            self._index[action] = about, tuple(grants)
        return self._index[action]

    @cached_property
    def _index(self) -> dict[str, tuple[tuple[RuleSide, ...], tuple[RuleSide, ...]]]:
        return {}


def _rule_side(rule: Rule, bundle: Bundle) -> RuleSide:
    condition = rule.when.condition_of()
    actions = rule.when.actions
    return RuleSide(
        id=rule.id,
        actions=None if actions is None else frozenset(actions),
        when=None if condition is None else condition.clauses(bundle.fields),  # type: ignore[arg-type]  # JSON
        checks={
            name: part.compiled(bundle.fields, actions or ()) for name, part in rule.primitives().items()
        },
        own=rule.require_approval.terms if rule.require_approval else None,
    )


def _leaves(said: JsonValue) -> int:
    if isinstance(said, dict):
        return sum(map(_leaves, said.values()))
    return sum(map(_leaves, said)) if isinstance(said, list) else 1


def may_grant(rule: RuleSide, name: str, action: str) -> bool:
    if name == "action_allowlist":
        return surely_grants(rule, name, action)
    return PRIMITIVES[name].grants


def surely_grants(rule: RuleSide, name: str, action: str) -> bool:
    """Wherever the rule matches."""
    listed = rule.checks[name]
    return name == "allow" or (
        name == "action_allowlist" and isinstance(listed, list) and ("*" in listed or action in listed)
    )
