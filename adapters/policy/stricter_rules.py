"""One level's rules before and after a change: whatever objected still does, and nothing more is granted."""

from collections.abc import Callable, Iterator

from pydantic import JsonValue

from adapters.policy.bundle import PRIMITIVES
from adapters.policy.primitives._base import Asked, Eased, changed_at_all
from adapters.policy.stricter_conditions import (
    Need,
    holds_only_where,
    knows,
    needed,
    never_lower,
    unknown_with,
)
from adapters.policy.stricter_sides import LevelSide, RuleSide, may_grant, surely_grants
from adapters.policy.stricter_terms import eased_terms

# Finds nothing but a grant.
NEVER_OBJECTS = frozenset({"allow"})
# Policies may be large, and a change is shown within seconds or not at all. One is a literal beside another.
NAMESAKES = 10_000_000
OTHERS = 5_000_000
TOO_MUCH = Eased("there is too much to compare", proven=False)


class _Effort:
    """How much comparing is left."""

    def __init__(self, left: int) -> None:
        self._left = left
        self.over = False

    def spent(self, rule: RuleSide, other: RuleSide) -> bool:
        """False where it does not suffice for these two."""
        if not self.over:
            self._left -= rule.weight * other.weight
            self.over = self._left < 0
        return not self.over


class Change:
    """A level before and after, and the actions that both know."""

    def __init__(self, before: LevelSide, after: LevelSide, actions: frozenset[str]) -> None:
        self.before, self.after, self._actions = before, after, actions
        self._namesakes, self._others = _Effort(NAMESAKES), _Effort(OTHERS)
        self._known: dict[tuple[str, frozenset[Need]], bool] = {}
        bodies = (frozenset(rule.body for rule in side.rules.values()) for side in (before, after))
        self._unchanged = frozenset.intersection(*bodies)

    def objections_lost(self) -> Iterator[tuple[str, Eased]]:
        """By the names of the rules before."""
        return self._each(self.before, self._no_longer)

    def grants_gained(self) -> Iterator[tuple[str, Eased]]:
        """By the names of the rules after."""
        return self._each(self.after, self._more)

    def _each(
        self, side: LevelSide, look: Callable[[RuleSide, str], Iterator[Eased]]
    ) -> Iterator[tuple[str, Eased]]:
        for rule in side.rules.values():
            if rule.body not in self._unchanged:
                found = (each for action in self._about(rule) for each in look(rule, action))
                yield from ((rule.id, each) for each in dict.fromkeys(found))

    def _about(self, rule: RuleSide) -> list[str]:
        return sorted(self._actions if rule.actions is None else rule.actions & self._actions)

    def _counterparts(self, rule: RuleSide, side: LevelSide, action: str) -> Iterator[RuleSide]:
        """Its namesake first, then the others, as far as the effort goes."""
        kept = side.rules.get(rule.id)
        if kept is not None and kept.about(action) and self._namesakes.spent(rule, kept):
            yield kept
        for other in side.about(action):
            if other is not kept:
                if not self._others.spent(rule, other):
                    return
                yield other

    # --- whatever objected before still does -----------------------------------------------------

    def _no_longer(self, rule: RuleSide, action: str) -> Iterator[Eased]:
        """Objections that no rule of the level makes any more."""
        for name in sorted({*rule.checks} - NEVER_OBJECTS):
            others = self._counterparts(rule, self.after, action)
            if not any(self._objects(rule, name, each, action) for each in others):
                yield from self._why_not(rule, name, action)
        if not self._unknown_denies(rule, action):
            yield Eased("what is missing for its condition may no longer deny", proven=False)

    def _objects(self, rule: RuleSide, name: str, other: RuleSide, action: str) -> bool:
        if not holds_only_where(rule.when, other.when):
            return False
        if "deny" in other.checks:
            return True
        return name in other.checks and not any(self._checks_eased(rule, name, other, action))

    def _why_not(self, rule: RuleSide, name: str, action: str) -> Iterator[Eased]:
        kept = self.after.rules.get(rule.id)
        if self._namesakes.over:
            yield TOO_MUCH
        elif kept is None:
            gone = "the rule is gone and no other one objects wherever it did"
            yield Eased(gone, proven=not self._others.over)
        elif not kept.about(action):
            yield Eased(f"it is no longer about {action!r}", proven=not self._others.over)
        elif name not in kept.checks:
            yield Eased(f"it has no {name} any more", proven=not self._others.over)
        elif not holds_only_where(rule.when, kept.when):
            yield Eased(f"its {name} may apply in fewer situations", proven=False)
        else:
            yield from self._checks_eased(rule, name, kept, action)

    def _checks_eased(self, rule: RuleSide, name: str, other: RuleSide, action: str) -> Iterator[Eased]:
        if rule.own is not None or other.own is not None:  # what both borrow is compared once, with the level
            yield from eased_terms(rule.own or self.before.borrowed, other.own or self.after.borrowed)
        if name != "require_approval":
            yield from compared(name, rule.checks[name], other.checks[name], action)

    def _unknown_denies(self, rule: RuleSide, action: str) -> bool:
        needs = needed(rule.when)
        return (
            not needs
            or self._granted_knowing(action, needs)
            or any(_denies_unknown(rule, each) for each in self._counterparts(rule, self.after, action))
        )

    def _granted_knowing(self, action: str, needs: frozenset[Need]) -> bool:
        """Nothing is granted where one of these is missing, so the default denies."""
        key = action, needs
        if key not in self._known:
            rules = self.after.granting(action)
            self._known[key] = self.after.default is Asked.DENY and all(
                knows(each.when, needs) for each in rules
            )
        return self._known[key]

    # --- nothing is granted that was not -----------------------------------------------------------

    def _more(self, rule: RuleSide, action: str) -> Iterator[Eased]:
        for name in rule.checks:
            if may_grant(rule, name, action) and not self._granted(rule, name, action):
                yield from self._why(rule, name, action)

    def _granted(self, rule: RuleSide, name: str, action: str) -> bool:
        """Some rule granted it wherever this one does."""
        return any(
            holds_only_where(rule.when, other.when) and _grants_too(rule, name, other, action)
            for other in self._counterparts(rule, self.before, action)
        )

    def _why(self, rule: RuleSide, name: str, action: str) -> Iterator[Eased]:
        kept = self.before.rules.get(rule.id)
        if self._namesakes.over:
            yield TOO_MUCH
        elif not self.before.granting(action):
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


def _denies_unknown(rule: RuleSide, other: RuleSide) -> bool:
    """The other denies wherever the condition of the first is unknown."""
    if "deny" in other.checks and never_lower(rule.when, other.when):
        return True
    return unknown_with(rule.when, other.when)


def _grants_too(rule: RuleSide, name: str, other: RuleSide, action: str) -> bool:
    """Where both match, what one grants by a primitive the other does too."""
    return any(
        surely_grants(other, each, action)
        or (
            each == name
            and PRIMITIVES[name].grants
            and not any(compared(name, other.checks[name], rule.checks[name], action))
        )
        for each in other.checks
    )
