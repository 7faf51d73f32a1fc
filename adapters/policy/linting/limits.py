"""Thresholds: amounts that nobody knows, currencies that one rule names and another one does not."""

from collections.abc import Iterator

from adapters.policy.linting._finding import Finding, FindingCode
from adapters.policy.linting._levels import Levels, Looked
from domain.action import ActionType

AMOUNT = "action.amount"
ARGUMENT = "action.arguments."


def findings(levels: Levels) -> Iterator[Finding]:
    """In the order of the files."""
    with_amount = _with_amount(levels)
    for each in levels.rules:
        if each.rule.threshold is not None and each.rule.when.actions is not None:
            yield from _amounts(levels, each, with_amount)
        yield from _zero(each)
        yield from _currencies(levels, each)


def _amounts(levels: Levels, each: Looked, with_amount: frozenset[str]) -> Iterator[Finding]:
    limits = each.rule.threshold
    if limits is None:
        return
    known = with_amount if limits.amount == AMOUNT else _with_argument(levels, each, limits.amount)
    unknown = sorted(each.actions - known)
    uncounted = sorted(each.actions - with_amount)
    if unknown:
        yield each.says(
            FindingCode.AMOUNT_UNKNOWN,
            f"Rule {each.name!r} denies {unknown[0]!r}, whose {limits.amount} is never known",
            "give the action an amount, or name in when.actions only those that have one",
            "threshold",
        )
    elif limits.per is not None and uncounted:
        yield each.says(
            FindingCode.WINDOW_WITHOUT_AMOUNT,
            f"Action {uncounted[0]!r} has no amount of its own to add up in the window of rule {each.name!r}",
            "declare `amount` of the action as a sum of facts",
            "threshold",
            "within",
        )


def _with_amount(levels: Levels) -> frozenset[str]:
    declared = {
        action
        for _, bundle in levels.files
        for action, its in bundle.actions.items()
        if its.amount is not None
    }
    return frozenset({ActionType.REFUND.value, *declared})


def _with_argument(levels: Levels, each: Looked, amount: str) -> frozenset[str]:
    """Actions of the rule that have the amount as an argument; any may have it as a fact."""
    if not amount.startswith(ARGUMENT):
        return each.actions
    declared = levels.bundles[each.level].actions
    name = amount.removeprefix(ARGUMENT)
    return frozenset(
        action for action in each.actions if action in declared and name in declared[action].arguments
    )


def _zero(each: Looked) -> Iterator[Finding]:
    limits = each.rule.threshold
    for currency in limits.allow_up_to if limits else ():
        highest = (limits.approval_up_to or limits.allow_up_to)[currency] if limits else 0
        if highest == 0:
            yield each.says(
                FindingCode.LIMIT_ZERO,
                f"Rule {each.name!r} never lets any {currency} through, with or without approval",
                "raise a limit, or leave the currency out",
                "threshold",
                "allow_up_to",
                currency.value,
            )


def _currencies(levels: Levels, each: Looked) -> Iterator[Finding]:
    """What another threshold has limits for, this rule does not know and therefore denies."""
    for path, known in _named(each):
        for other in levels.rules:
            if other is each or other.rule.threshold is None:
                continue
            missing = sorted({*other.compiled["threshold"]["allow_up_to"]} - known)
            if missing and not other.actions.isdisjoint(each.actions):
                yield each.says(
                    FindingCode.CURRENCY_GAP,
                    f"Rule {each.name!r} denies {missing[0]}, for which rule {other.name!r} has limits",
                    f"name {missing[0]} here too, or nowhere",
                    *path,
                )
                return


def _named(each: Looked) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    if "threshold" in each.compiled:
        yield ("threshold", "allow_up_to"), {*each.compiled["threshold"]["allow_up_to"]}
    for literal in (literal for clause in each.clauses or () for literal in clause):
        if literal["type"] == "amount" and isinstance(literal["value"], dict):
            yield ("when", "condition"), {*literal["value"]}
    for requirement in each.compiled.get("require", ()):
        for literal in (literal for clause in requirement["when"] for literal in clause):
            if literal["type"] == "amount" and isinstance(literal["value"], dict):
                yield ("require",), {*literal["value"]}
