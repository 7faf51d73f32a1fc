"""Lists and times that are empty, or name what does not exist."""

from collections.abc import Iterator

from adapters.policy.linting._finding import Finding, FindingCode
from adapters.policy.linting._levels import Levels, Looked
from domain.placeholder import PlaceholderKind

ALLOWLISTS = ("action_allowlist", "channel_allowlist", "purpose", "residency")
KINDS = frozenset(kind.value.lower() for kind in PlaceholderKind)


def findings(levels: Levels) -> Iterator[Finding]:
    """In the order of the files."""
    for each in levels.rules:
        yield from _empty(each)
        yield from _closed(each)
        yield from _redactions(each)


def _empty(each: Looked) -> Iterator[Finding]:
    for name in ALLOWLISTS:
        if name in each.compiled and not each.compiled[name]:
            yield each.says(
                FindingCode.EMPTY_ALLOWLIST,
                f"Rule {each.name!r} lists nothing in {name}, so everything is denied",
                "list what is allowed, or write deny: true",
                name,
            )
    for name in ("redact_fields", "require"):
        if name in each.compiled and not each.compiled[name]:
            yield each.says(
                FindingCode.EMPTY_LIST,
                f"Rule {each.name!r} lists nothing in {name}, so that does nothing",
                "list something, or take it away",
                name,
            )


def _closed(each: Looked) -> Iterator[Finding]:
    hours = each.rule.hours
    if hours is not None and not any(hours.open.values()):
        yield each.says(
            FindingCode.HOURS_NEVER_OPEN,
            f"The office of rule {each.name!r} is never open",
            'write hours such as weekdays: ["09:00-17:00"], or deny: true',
            "hours",
            "open",
        )


def _redactions(each: Looked) -> Iterator[Finding]:
    for kind in each.rule.redact_fields.root if each.rule.redact_fields else ():
        if kind not in KINDS:
            yield each.says(
                FindingCode.REDACTS_UNKNOWN_KIND,
                f"Rule {each.name!r} takes out {kind!r}, and no kind of personal data is called so",
                f"use one of {', '.join(sorted(KINDS))}",
                "redact_fields",
            )
