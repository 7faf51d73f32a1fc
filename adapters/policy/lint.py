"""Reads a policy as a reviewer would: what can never decide, what nothing grants, whom nobody can ask.

It compares and computes nothing of a ticket; `adapters.policy.smoke` tries the same policy on engines.
"""

from collections.abc import Mapping

from adapters.policy.bundle import Bundle, Level
from adapters.policy.linting import agents, approvals, grants, limits, lists, rules
from adapters.policy.linting._finding import ERRORS, Finding, FindingCode, Severity
from adapters.policy.linting._levels import Levels

__all__ = ["ERRORS", "Finding", "FindingCode", "Severity", "lint"]

CHECKS = (grants, rules, limits, lists, approvals, agents)


def lint(
    levels: Mapping[Level, Bundle], people: Mapping[str, frozenset[str]] | None = None
) -> tuple[Finding, ...]:
    """What is wrong or odd, level by level in the order of each file.

    `people` are those of each approver group, for what only they can tell. Raises `BundleRefused` for levels
    that do not compile.
    """
    looked = Levels(levels, people)
    found = [finding for check in CHECKS for finding in check.findings(looked)]
    return tuple(sorted(found, key=lambda finding: (_rank(finding.level), _order(finding))))


def _rank(level: Level) -> int:
    return [*Level].index(level)


def _order(finding: Finding) -> tuple[int, int]:
    number = finding.place[1] if finding.place[:1] == ("rules",) and len(finding.place) > 1 else -1
    return (number if isinstance(number, int) else -1, [*FindingCode].index(finding.code))
