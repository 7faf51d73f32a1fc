"""Rules marked `must_hold` that a change may silence, whether they grant or object.

A rule is compared with what its own level says after the change. What other rules make of it, the past shows:
`countersign policy backtest` decides it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.policy.bundle import Level
from adapters.policy.effective import rule_name
from adapters.policy.stricter import Levels, sides
from adapters.policy.stricter_rules import Change
from adapters.policy.stricter_sides import LevelSide


@dataclass(frozen=True)
class Silenced:
    """A rule that must hold, by the name that reasons give it, and what it may say no more."""

    level: Level
    rule: str
    sentence: str


def silenced(before: Levels, after: Levels) -> tuple[Silenced, ...]:
    """Nothing where each such rule is shown to grant and object as it did. Raises `BundleRefused`."""
    was, is_ = sides(before), sides(after)
    known, knows = (
        frozenset(name for each in levels.values() for name in each.declared) for levels in (before, after)
    )
    found: dict[Silenced, None] = {}
    for level, bundle in before.items():
        marked = frozenset(rule.id for rule in bundle.rules if rule.must_hold)
        for rule, what in _lost(was[level], is_.get(level), known, knows):
            if rule in marked:
                sentence = f"Rule {rule!r} of the {level.value} must hold: {what}"
                found[Silenced(level, rule_name(level, rule), sentence)] = None
    return tuple(found)


def _lost(
    was: LevelSide, is_: LevelSide | None, known: frozenset[str], knows: frozenset[str]
) -> Iterator[tuple[str, str]]:
    if is_ is None:
        yield from ((name, "its level is gone") for name in was.rules)
        return
    for rule in was.rules.values():
        for action in sorted(known - knows if rule.actions is None else rule.actions - knows):
            yield rule.id, f"action {action!r} is not known any more"
    for name, _ in Change(was, is_, known & knows).objections_lost():
        yield name, "it may no longer object wherever it did"
    for name, _ in Change(is_, was, known & knows).grants_gained():
        yield name, "it may no longer grant all that it granted"
