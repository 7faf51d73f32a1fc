"""Gaps: what no rule grants, what is declared and never used, and actions whose levels do not fit."""

from collections.abc import Iterator

from adapters.policy.bundle import Bundle, Level
from adapters.policy.conditions import Condition
from adapters.policy.linting._finding import Finding, FindingCode
from adapters.policy.linting._levels import Levels, Looked, of_file
from adapters.policy.primitives._base import Asked


def findings(levels: Levels) -> Iterator[Finding]:
    """In the order of the files."""
    for level, bundle in levels.files:
        if bundle.default is None:
            yield of_file(
                level,
                FindingCode.DEFAULT_MISSING,
                "The file does not say what happens to what no rule grants, so it is denied",
                "write `default: deny`",
            )
        yield from _nothing(levels, level, bundle)
        yield from _actions(levels, level, bundle)
        yield from _bands(levels, level, bundle)
        yield from _facts(level, bundle)
        yield from _arguments(levels, level, bundle)
    yield from _above(levels)


def granted(levels: Levels, level: Level) -> frozenset[str]:
    """Actions that some rule of a level can grant."""
    return frozenset(action for each in levels.rules_of(level) for action in grants_of(each))


def grants_of(each: Looked) -> frozenset[str]:
    """Actions that a rule can grant."""
    listed = each.rule.action_allowlist
    if not each.grants:
        return frozenset()
    if listed is None or "*" in listed.root or each.rule.allow is not None or each.rule.threshold is not None:
        return each.actions
    return each.actions & frozenset(listed.root)


def _nothing(levels: Levels, level: Level, bundle: Bundle) -> Iterator[Finding]:
    explicit = any(each.rule.deny is not None and each.clauses is None for each in levels.rules_of(level))
    if bundle.default is Asked.APPROVAL_NEEDED or explicit or granted(levels, level):
        return
    if level is Level.ORGANISATION:
        yield of_file(
            level,
            FindingCode.ORGANISATION_GRANTS_NOTHING,
            "The organisation's policy grants nothing, so every tenant stands still",
            'add a rule with action_allowlist: ["*"] to set limits only, or with deny: true if that is meant',
            "rules",
        )
        return
    yield of_file(
        level,
        FindingCode.GRANTS_NOTHING,
        "No rule grants anything, so every action is denied",
        "add a rule with allow, action_allowlist or threshold, or with deny: true if that is meant",
        "rules",
    )


def _actions(levels: Levels, level: Level, bundle: Bundle) -> Iterator[Finding]:
    rules = levels.rules_of(level)
    listed = {
        word
        for each in rules
        if each.rule.action_allowlist is not None
        for word in each.rule.action_allowlist.root
    }
    named = {action for each in rules for action in each.rule.when.actions or ()} | listed
    for each in rules:
        for word in each.rule.action_allowlist.root if each.rule.action_allowlist else ():
            if word != "*" and word not in levels.bands:
                yield each.says(
                    FindingCode.ACTION_UNKNOWN,
                    f"Rule {each.name!r} lists action {word!r}, which nobody declares",
                    "declare it under actions, or mend its name",
                    "action_allowlist",
                )
    may = granted(levels, level)
    for action in bundle.actions:
        if action in may or bundle.default is Asked.APPROVAL_NEEDED:
            continue
        code = FindingCode.ACTION_NOT_GRANTED if action in named else FindingCode.ACTION_UNUSED
        how = "no rule grants it" if action in named else "no rule names it"
        yield of_file(
            level,
            code,
            f"Action {action!r} is declared and {how}, so it is always denied",
            "grant it by a rule, or take its declaration away",
            "actions",
            action,
        )


def _above(levels: Levels) -> Iterator[Finding]:
    for wide, bundle in levels.files:
        may = granted(levels, wide)
        if not may or bundle.default is Asked.APPROVAL_NEEDED:
            continue
        for each in levels.rules:
            refused = (
                sorted(grants_of(each) - may) if [*Level].index(each.level) > [*Level].index(wide) else []
            )
            if refused and each.rule.when.actions is not None:
                yield each.says(
                    FindingCode.NOT_GRANTED_ABOVE,
                    f"Rule {each.name!r} grants {refused[0]!r}, which the {wide}'s policy never grants",
                    f"take it away, or let the {wide} grant it",
                    "when",
                    "actions",
                )


def _bands(levels: Levels, level: Level, bundle: Bundle) -> Iterator[Finding]:
    by_band = [each for each in levels.rules_of(level) if each.grants and each.rule.when.bands is not None]
    if not by_band or bundle.default is Asked.APPROVAL_NEEDED:
        return
    may = {levels.bands[action] for action in granted(levels, level) if action in levels.bands}
    for band in sorted({*levels.bands.values()} - may):
        yield by_band[-1].says(
            FindingCode.BAND_NOT_GRANTED,
            f"Rules grant by band, and none of them is about {band!r}",
            f"add a rule for the band {band}, or say by `deny: true` that it never happens",
            "when",
            "bands",
        )


def _facts(level: Level, bundle: Bundle) -> Iterator[Finding]:
    used = {*_fields(bundle)}
    for name in bundle.facts:
        if f"facts.{name}" not in used:
            yield of_file(
                level,
                FindingCode.FACT_UNUSED,
                f"Fact {name!r} is declared and never used",
                "use it, or take its declaration away",
                "facts",
                name,
            )


def _fields(bundle: Bundle) -> Iterator[str]:
    for action in bundle.actions.values():
        for name in (*action.amount.sum, *action.amount.less) if action.amount else ():
            yield f"facts.{name.removeprefix('facts.')}"
    for rule in bundle.rules:
        if rule.threshold is not None:
            yield rule.threshold.amount
        if rule.when.condition is not None:
            yield from _named(rule.when.condition)
        for requirement in rule.require.root if rule.require else ():
            yield from _named(requirement.as_condition)


def _named(condition: Condition) -> Iterator[str]:
    parts = (*(condition.all or ()), *(condition.any or ()), *((condition.not_,) if condition.not_ else ()))
    for part in parts:
        yield from _named(part)
    yield from filter(None, (condition.field, condition.equals_field, condition.at_most_field))


def _arguments(levels: Levels, level: Level, bundle: Bundle) -> Iterator[Finding]:
    """What one level wants, another one that declares the action does not know."""
    for action, declared in bundle.actions.items():
        wanted = {name for name, argument in declared.arguments.items() if not argument.optional}
        for other, theirs in levels.files:
            if other is level or action not in theirs.actions:
                continue
            unknown = sorted(wanted - {*theirs.actions[action].arguments})
            if unknown:
                yield of_file(
                    level,
                    FindingCode.ARGUMENTS_NEVER_FIT,
                    f"Action {action!r} needs {unknown[0]!r}, which the {other}'s policy does not know",
                    f"declare it the same in both, or take the declaration out of the {other}'s file",
                    "actions",
                    action,
                    "arguments",
                )
