"""One level's rules before and after a change: whatever objected still does, and nothing more is granted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue

from adapters.policy.bundle import PRIMITIVES, Bundle, Rule, canonical
from adapters.policy.primitives._base import Asked, Eased, changed_at_all
from adapters.policy.primitives.require_approval import Terms
from adapters.policy.stricter_conditions import (
    Clauses,
    holds_only_where,
    knows,
    needed,
    never_lower,
    unknown_with,
)
from adapters.policy.stricter_terms import eased_terms

# Finds nothing but a grant.
NEVER_OBJECTS = frozenset({"allow"})


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

    def granting(self, action: str) -> Iterator[RuleSide]:
        """The rules that may grant it."""
        for rule in self.rules.values():
            if rule.about(action) and any(_may_grant(rule, name, action) for name in rule.checks):
                yield rule


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


@dataclass(frozen=True)
class Change:
    """A level before and after, and the actions that both know."""

    before: LevelSide
    after: LevelSide
    actions: frozenset[str]

    def eased(self) -> Iterator[tuple[str, Eased]]:
        """What can be milder, by the rule's name."""
        yield from self._objections()
        yield from self._grants()

    @cached_property
    def _unchanged(self) -> frozenset[str]:
        """Bodies that stand on both sides."""
        sides = ({rule.body for rule in side.rules.values()} for side in (self.before, self.after))
        return frozenset.intersection(*map(frozenset, sides))

    def _about(self, rule: RuleSide) -> list[str]:
        return sorted(self.actions if rule.actions is None else rule.actions & self.actions)

    # --- whatever objected before still does -----------------------------------------------------

    def _objections(self) -> Iterator[tuple[str, Eased]]:
        for rule in self.before.rules.values():
            if rule.body in self._unchanged:
                continue
            found = (each for action in self._about(rule) for each in self._no_longer(rule, action))
            yield from ((rule.id, each) for each in dict.fromkeys(found))

    def _no_longer(self, rule: RuleSide, action: str) -> Iterator[Eased]:
        """Objections that no rule of the level makes any more."""
        kept = self.after.rules.get(rule.id)
        others = [each for each in self.after.rules.values() if each.about(action)]
        for name in rule.checks:
            if name in NEVER_OBJECTS or any(self._objects(rule, name, each, action) for each in others):
                continue
            yield from self._why_not(rule, name, kept, action)
        if not self._unknown_denies(rule, others, action):
            yield Eased("what is missing for its condition may no longer deny", proven=False)

    def _objects(self, rule: RuleSide, name: str, other: RuleSide, action: str) -> bool:
        if not holds_only_where(rule.when, other.when):
            return False
        if "deny" in other.checks:
            return True
        return name in other.checks and not any(self._checks_eased(rule, name, other, action))

    def _why_not(self, rule: RuleSide, name: str, kept: RuleSide | None, action: str) -> Iterator[Eased]:
        if kept is None:
            yield Eased("the rule is gone and no other one objects wherever it did")
        elif not kept.about(action):
            yield Eased(f"it is no longer about {action!r}")
        elif name not in kept.checks:
            yield Eased(f"it has no {name} any more")
        elif not holds_only_where(rule.when, kept.when):
            yield Eased(f"its {name} may apply in fewer situations", proven=False)
        else:
            yield from self._checks_eased(rule, name, kept, action)

    def _checks_eased(self, rule: RuleSide, name: str, other: RuleSide, action: str) -> Iterator[Eased]:
        if rule.own is not None or other.own is not None:  # what both borrow is compared once, with the level
            yield from eased_terms(rule.own or self.before.borrowed, other.own or self.after.borrowed)
        if name != "require_approval":
            yield from compared(name, rule.checks[name], other.checks[name], action)

    def _unknown_denies(self, rule: RuleSide, others: list[RuleSide], action: str) -> bool:
        needs = needed(rule.when)
        if not needs:
            return True
        for other in others:
            if unknown_with(rule.when, other.when):
                return True
            if "deny" in other.checks and never_lower(rule.when, other.when):
                return True
        # Nothing is granted without knowing it, so the default denies.
        denies = self.after.default is Asked.DENY
        return denies and all(knows(each.when, needs) for each in self.after.granting(action))

    # --- nothing is granted that was not -----------------------------------------------------------

    def _grants(self) -> Iterator[tuple[str, Eased]]:
        for rule in self.after.rules.values():
            if rule.body in self._unchanged:
                continue
            found = (each for action in self._about(rule) for each in self._more(rule, action))
            yield from ((rule.id, each) for each in dict.fromkeys(found))

    def _more(self, rule: RuleSide, action: str) -> Iterator[Eased]:
        for name in rule.checks:
            if _may_grant(rule, name, action) and not self._granted(rule, name, action):
                yield from self._why(rule, name, action)

    def _granted(self, rule: RuleSide, name: str, action: str) -> bool:
        """Some rule granted it wherever this one does."""
        return any(
            holds_only_where(rule.when, other.when)
            and any(
                _surely_grants(other, each, action)
                or (each == name and not any(compared(name, other.checks[name], rule.checks[name], action)))
                for each in other.checks
            )
            for other in self.before.granting(action)
        )

    def _why(self, rule: RuleSide, name: str, action: str) -> Iterator[Eased]:
        kept = self.before.rules.get(rule.id)
        if not any(self.before.granting(action)):
            yield Eased(f"it grants {action!r}, which no rule granted")
        elif kept is None or not kept.about(action) or name not in kept.checks:
            yield Eased(f"it may grant {action!r} where no rule did", proven=False)
        elif not holds_only_where(rule.when, kept.when):
            yield Eased(f"its {name} may grant {action!r} in more situations", proven=False)
        else:
            yield from compared(name, kept.checks[name], rule.checks[name], action)


def compared(name: str, before: JsonValue, after: JsonValue, action: str) -> Iterator[Eased]:
    """As the primitive says; equal or not where it says nothing."""
    if before != after:
        yield from getattr(PRIMITIVES[name], "eased", changed_at_all)(before, after, action)


def _may_grant(rule: RuleSide, name: str, action: str) -> bool:
    if name == "action_allowlist":
        return _surely_grants(rule, name, action)
    return PRIMITIVES[name].grants


def _surely_grants(rule: RuleSide, name: str, action: str) -> bool:
    """Wherever the rule matches."""
    listed = rule.checks[name]
    return name == "allow" or (
        name == "action_allowlist" and isinstance(listed, list) and ("*" in listed or action in listed)
    )
