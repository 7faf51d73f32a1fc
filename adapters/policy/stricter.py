"""Shows that a change of policy makes no answer milder and asks for nothing less, or names what may be.

Structure is compared, never inputs: what is shown holds for every input, what is not shown counts as looser.
Each level is compared with itself. The strictest finding wins, so a level or rule that is added can only make
answers stricter, with three exceptions that are looked at here: an action that nobody knew, approvers where
nobody was named (a question to nobody is a no), and rules that have the names of the library's own reasons.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from adapters.policy.bundle import Bundle, Level
from adapters.policy.effective import effective, rule_name
from adapters.policy.primitives._base import Asked, Eased, softer
from adapters.policy.primitives.require_approval import Terms
from adapters.policy.stricter_conditions import Clauses
from adapters.policy.stricter_declared import BANDS, eased_actions, eased_agents
from adapters.policy.stricter_rules import Change
from adapters.policy.stricter_sides import LevelSide
from adapters.policy.stricter_terms import eased_terms

Levels = Mapping[Level, Bundle]
# Reasons that the library gives itself. A tenant's rule of such a name would lend them its approval terms.
OWN_NAMES = frozenset(
    {
        "actions_are_declared",
        "agents_come_from_their_parents",
        "agents_stay_in_their_level",
        "approval",
        "arguments_fit_their_schema",
        "assist_mode_asks",
        "default",
        "input_is_complete",
        "nobody_talks_it_into_acting",
        "refunds_rest_on_facts",
        "the_owner_speaks",
    }
)
# Compared below, or without a say in any answer.
COMPARED = frozenset(
    {
        "schema_version",
        "name",
        "description",
        "default",
        "approval",
        "max_chain",
        "agents",
        "actions",
        "rules",
    }
    | {"facts"}  # they decide only through conditions and amounts
)


class Kind(StrEnum):
    """How much is known of a loosening."""

    PROVEN = "proven"  # by itself it makes an answer milder, though something else may still object
    UNPROVEN = "unproven"  # it cannot be shown that it does not


@dataclass(frozen=True)
class Loosening:
    """One way in which a policy is, or may be, milder than before."""

    level: Level
    rule: str | None  # as reasons name it; None for what is said outside of rules
    kind: Kind
    sentence: str


def loosened(before: Levels, after: Levels) -> tuple[Loosening, ...]:
    """Nothing where every input gets at least as strict an answer with at least as strong obligations.

    Both are what decides for one tenant and agent. Raises `BundleRefused` where one of them does not compile.
    """
    if not after:
        return ()  # no policy knows no action
    return tuple(dict.fromkeys(_Comparison(before, after).loosenings()))


def sides(levels: Levels) -> dict[Level, LevelSide]:
    """Each level with the approvers that it names, or else borrows."""
    widest = _widest(levels)
    return {level: LevelSide.of(bundle, bundle.approval or widest) for level, bundle in levels.items()}


class _Comparison:
    def __init__(self, before: Levels, after: Levels) -> None:
        self._before, self._after = before, after
        documents: list[Any] = [effective(levels).document for levels in (before, after)]
        self._known, self._knows = (document["declared"] for document in documents)
        self._same = documents[0] == documents[1]
        self._was, self._is = sides(before), sides(after)

    def loosenings(self) -> Iterator[Loosening]:
        for level in Level:
            if level in self._before and level not in self._after:
                yield _said(level, None, Eased("it is gone", proven=False))
            elif level in self._before:
                yield from (_said(level, None, each) for each in self._outside_rules(level))
                change = Change(self._was[level], self._is[level], self._both)
                eased = (*change.objections_lost(), *change.grants_gained())
                yield from (_said(level, rule, each) for rule, each in eased)
                yield from (_said(level, rule, each) for rule, each in self._unmarked(level))
        yield from self._new_actions()
        yield from self._named_approvers()
        yield from self._borrowed_names()

    @property
    def _both(self) -> frozenset[str]:
        return frozenset(self._known) & frozenset(self._knows)

    def _outside_rules(self, level: Level) -> Iterator[Eased]:
        before, after = self._before[level], self._after[level]
        was, is_ = self._was[level], self._is[level]
        yield from softer("default", was.default.value, is_.default.value)
        yield from eased_terms(was.borrowed, is_.borrowed)
        if before.approval is not None:
            # Questions that no rule puts ask every level that names somebody.
            yield from eased_terms(before.approval, after.approval)
        yield from eased_agents(before, after)
        yield from eased_actions(before, after, self._both)
        yield from self._bands(level)
        yield from self._amounts(level)
        for name in sorted(set(Bundle.model_fields) - COMPARED):
            if getattr(before, name) != getattr(after, name):
                yield Eased(f"it has another {name}", proven=False)

    def _bands(self, level: Level) -> Iterator[Eased]:
        """Bands are the strictest of all levels; only conditions read them."""
        for action in sorted(self._both & {*self._after[level].declared}):
            was, is_ = (str(known[action]["band"]) for known in (self._known, self._knows))
            if BANDS.index(is_) < BANDS.index(was):
                yield Eased(f"the band of {action!r} falls from {was} to {is_}")
            elif is_ != was and any(map(_reads_bands, self._conditions())):
                yield Eased(f"the band of {action!r} goes from {was} to {is_}", proven=False)

    def _conditions(self) -> Iterator[Clauses]:
        for side in (*self._was.values(), *self._is.values()):
            for rule in side.rules.values():
                yield rule.when
                needs: Any = rule.checks.get("require", ())
                yield from (need["when"] for need in needs)

    def _amounts(self, level: Level) -> Iterator[Eased]:
        for action in sorted(self._both):
            was, is_ = (_amounts(levels, action) for levels in (self._before, self._after))
            if was != is_ and action in {*self._before[level].actions, *self._after[level].actions}:
                yield Eased(f"the amount of {action!r} is computed in another way", proven=False)

    def _unmarked(self, level: Level) -> Iterator[tuple[str, Eased]]:
        """Rules whose answers must hold, and are not watched any more."""
        kept = {rule.id for rule in self._after[level].rules if rule.must_hold}
        bodies = {self._is[level].rules[name].body for name in kept}
        for rule in self._before[level].rules:
            if rule.must_hold and rule.id not in kept and self._was[level].rules[rule.id].body not in bodies:
                yield rule.id, Eased("it is no longer marked must_hold")

    def _new_actions(self) -> Iterator[Loosening]:
        for action in sorted({*self._knows} - {*self._known}):
            if not any(_denied(side, action) for side in self._is.values()):
                level = next((each for each in Level if action in self._after.get(each, _NONE).actions), None)
                what = Eased(f"action {action!r} is new and may be done")
                yield _said(level or next(iter(self._after)), None, what)

    def _named_approvers(self) -> Iterator[Loosening]:
        """Where no level named anybody, whoever is named turns a no into a question."""
        if _widest(self._before) is not None or not self._before:
            return
        for level, side in self._is.items():
            if self._after[level].approval is not None:
                yield _said(level, None, Eased("it names who approves, and nobody was named"))
            known = {rule.body for rule in self._was[level].rules.values()} if level in self._was else set()
            for rule in side.rules.values():
                if rule.own is not None and rule.body not in known:
                    what = "it names who approves, where nobody may have been named"
                    yield _said(level, rule.id, Eased(what, proven=False))

    def _borrowed_names(self) -> Iterator[Loosening]:
        if self._same:
            return
        names = {
            rule.id
            for levels in (self._before, self._after)
            for rule in (levels[Level.TENANT].rules if Level.TENANT in levels else ())
        }
        for name in sorted(names & OWN_NAMES):
            what = "it has a name that reasons of the library have, so it must not change beside it"
            yield _said(Level.TENANT, name, Eased(what, proven=False))


_NONE = Bundle(schema_version=2, name="none")


def _widest(levels: Levels) -> Terms | None:
    """Whom a level without approvers of its own asks."""
    named = (levels[level].approval for level in Level if level in levels)
    return next((terms for terms in named if terms is not None), None)


def _amounts(levels: Levels, action: str) -> dict[Level, object]:
    declared = {level: bundle.actions.get(action) for level, bundle in levels.items()}
    return {level: each.amount for level, each in declared.items() if each is not None and each.amount}


def _reads_bands(clauses: Clauses) -> bool:
    literals = [literal for clause in clauses or () for literal in clause]
    return any(["action", "band"] in (literal["path"], literal["value"]) for literal in literals)


def _denied(side: LevelSide, action: str) -> bool:
    """Whatever else its input says."""
    if side.default is Asked.DENY and not any(side.granting(action)):
        return True
    return any(
        rule.when is None and rule.about(action) and "deny" in rule.checks for rule in side.rules.values()
    )


def _said(level: Level, rule: str | None, eased: Eased) -> Loosening:
    who = f"Rule {rule!r} of the {level.value}" if rule is not None else f"The {level.value}'s policy"
    return Loosening(
        level=level,
        rule=None if rule is None else rule_name(level, rule),
        kind=Kind.PROVEN if eased.proven else Kind.UNPROVEN,
        sentence=f"{who}: {eased.what}",
    )
