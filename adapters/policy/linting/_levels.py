"""Levels as the linter looks at them: each rule with its actions and its compiled condition."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adapters.policy.bundle import Bundle, Level, Rule
from adapters.policy.effective import effective
from adapters.policy.linting._finding import Finding, FindingCode
from domain.action import RiskBand

Clauses = list[list[Any]]


@dataclass(frozen=True)
class Looked:
    """A rule, the actions it can be about, and its condition; None is always true."""

    level: Level
    number: int
    rule: Rule
    actions: frozenset[str]
    clauses: Clauses | None
    compiled: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As people read it: with its level where that is another one's."""
        return self.rule.id

    @property
    def grants(self) -> bool:
        """Whether it can cover an action that nothing else allows."""
        return any(part.grants for part in self.rule.primitives().values())

    def says(self, code: FindingCode, sentence: str, suggestion: str, *below: int | str) -> Finding:
        """A finding about it, or about what is `below` it in the file."""
        return Finding(code, self.level, self.rule.id, sentence, suggestion, ("rules", self.number, *below))


@dataclass(frozen=True)
class Levels:
    """All levels of one policy, widest first."""

    bundles: Mapping[Level, Bundle]
    people: Mapping[str, frozenset[str]] | None = None  # of each approver group, where that is known

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """What engines read."""
        return effective(self.bundles).document

    @cached_property
    def bands(self) -> Mapping[str, RiskBand]:
        """Every declared action with the strictest band of any level."""
        declared: Any = self.document["declared"]
        return {name: RiskBand(each["band"]) for name, each in declared.items()}

    @cached_property
    def every_action(self) -> frozenset[str]:
        """That is declared."""
        return frozenset(self.bands)

    @cached_property
    def rules(self) -> tuple[Looked, ...]:
        """Of all levels."""
        return tuple(self._looked())

    def rules_of(self, level: Level) -> tuple[Looked, ...]:
        """Of one level."""
        return tuple(each for each in self.rules if each.level is level)

    @property
    def files(self) -> Iterator[tuple[Level, Bundle]]:
        """Widest first."""
        return ((level, self.bundles[level]) for level in Level if level in self.bundles)

    def _looked(self) -> Iterator[Looked]:
        compiled = iter(self.document["rules"])
        for level, bundle in self.files:
            for number, rule in enumerate(bundle.rules):
                each = next(compiled)
                yield Looked(level, number, rule, self._actions(rule), each.get("when"), each)

    def _actions(self, rule: Rule) -> frozenset[str]:
        named = rule.when.actions or self.every_action
        bands = rule.when.bands
        if bands is None:
            return frozenset(named)  # of a frozenset it is the same one, which is quickly compared
        return frozenset(name for name in named if self.bands.get(name) in bands)


def of_file(level: Level, code: FindingCode, sentence: str, suggestion: str, *place: int | str) -> Finding:
    """A finding about a file as a whole, or about a place in it that is no rule."""
    return Finding(code, level, None, sentence, suggestion, place)
