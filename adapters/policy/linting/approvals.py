"""Approvals: nobody to ask, nobody who may answer for every level, and times that never come."""

from collections.abc import Iterator
from typing import Any

from adapters.policy.bundle import Level
from adapters.policy.linting._finding import Finding, FindingCode
from adapters.policy.linting._levels import Levels, Looked, of_file
from adapters.policy.primitives._base import Asked
from adapters.policy.primitives.require_approval import Terms
from adapters.policy.written import as_duration
from domain.decision import Obligations
from domain.obligations import combined

Place = tuple[int | str, ...]


def findings(levels: Levels) -> Iterator[Finding]:
    """In the order of the files."""
    for level, bundle in levels.files:
        if bundle.approval is not None:
            yield from _terms(levels, level, None, bundle.approval, ("approval",))
    for each in levels.rules:
        own = each.rule.require_approval
        if own is not None and own.terms is not None:
            place = ("rules", each.number, "require_approval")
            yield from _terms(levels, each.level, each.rule.id, own.terms, place)
    yield from _nobody(levels)
    yield from _in_common(levels)


def _terms(levels: Levels, level: Level, rule: str | None, terms: Terms, place: Place) -> Iterator[Finding]:
    def says(code: FindingCode, sentence: str, suggestion: str, *below: int | str) -> Finding:
        return Finding(code, level, rule, sentence, suggestion, (*place, *below))

    asked = {*terms.approver_groups}
    expiry = as_duration(terms.expires_in)
    for number, rung in enumerate(terms.ladder or ()):
        if rung.after >= terms.expires_in:
            yield says(
                FindingCode.LADDER_AFTER_EXPIRY,
                f"Others are asked after {as_duration(rung.after)}, and the question ends after {expiry}",
                "ask them earlier, or let the question live longer",
                "ladder",
                number,
            )
        if {*rung.approver_groups} <= asked:
            yield says(
                FindingCode.LADDER_ADDS_NOBODY,
                f"After {as_duration(rung.after)} nobody is asked who was not asked before",
                "name another group, or take the rung away",
                "ladder",
                number,
            )
        asked |= {*rung.approver_groups}
    if terms.remind_every is not None and terms.remind_every >= terms.expires_in:
        yield says(
            FindingCode.REMINDER_AFTER_EXPIRY,
            f"The question ends after {expiry}, before it is brought up again",
            "remind earlier, or take remind_every away",
            "remind_every",
        )
    for code, sentence, suggestion in _people(levels, terms, asked):
        yield says(code, sentence, suggestion)


def _people(levels: Levels, terms: Terms, asked: set[str]) -> Iterator[tuple[FindingCode, str, str]]:
    """Only where it is known who is in which group."""
    if levels.people is None:
        return
    for group in sorted(asked):
        if not levels.people.get(group):
            yield (
                FindingCode.APPROVER_GROUP_EMPTY,
                f"Nobody is in the approver group {group!r}",
                "give somebody this role, or ask another group",
            )
    may_answer = {person for group in asked for person in levels.people.get(group, ())}
    if may_answer and len(may_answer) < terms.quorum:
        yield (
            FindingCode.QUORUM_TOO_HIGH,
            f"Only {len(may_answer)} people may approve, and {terms.quorum} must",
            "lower the quorum, or ask larger groups",
        )


def _nobody(levels: Levels) -> Iterator[Finding]:
    if any(bundle.approval is not None for _, bundle in levels.files):
        return
    for level, bundle in levels.files:
        if bundle.default is Asked.APPROVAL_NEEDED:
            yield of_file(
                level,
                FindingCode.APPROVAL_TERMS_MISSING,
                "What no rule grants needs approval, and no file says who is asked, so it is denied",
                "write `approval` with approver_groups",
                "default",
            )
    for each in levels.rules:
        if _asks(each):
            yield each.says(
                FindingCode.APPROVAL_TERMS_MISSING,
                f"Rule {each.name!r} asks for approval, and no file says who is asked, so it denies",
                "write `approval` with approver_groups",
            )


def _asks(each: Looked) -> bool:
    """Whether it can ask without saying whom."""
    said = each.compiled
    if said.get("require_approval"):
        return False
    limits = said.get("threshold")
    return (
        "require_approval" in said
        or (limits is not None and limits["approval_up_to"] != limits["allow_up_to"])
        or said.get("rate", {}).get("above") == Asked.APPROVAL_NEEDED
        or said.get("hours", {}).get("outside") == Asked.APPROVAL_NEEDED
        or any(fact["otherwise"] == Asked.APPROVAL_NEEDED for fact in said.get("require", ()))
    )


def _in_common(levels: Levels) -> Iterator[Finding]:
    files = [(level, bundle.approval.obligations()) for level, bundle in levels.files if bundle.approval]
    everywhere = [terms for _, terms in files]
    if len(files) > 1 and _together(everywhere) is None:
        groups = "; ".join(f"{level}: {', '.join(map(str, _groups(terms)))}" for level, terms in files)
        yield of_file(
            files[-1][0],
            FindingCode.APPROVERS_NOT_COMMON,
            f"No approver group is asked by every level ({groups}), so nobody can ever approve",
            "name one group in all of them",
            "approval",
        )
        return
    for each in levels.rules:
        own = each.compiled.get("require_approval")
        if own and everywhere and _together([own, *everywhere]) is None:
            yield each.says(
                FindingCode.RULE_APPROVERS_NOT_COMMON,
                f"Nobody may answer for rule {each.name!r} and for `approval` as well, as assist mode asks",
                "name its groups in the file's `approval` too",
                "require_approval",
                "approver_groups",
            )


def _together(several: list[Any]) -> Obligations | None:
    return combined([Obligations.model_validate(each, strict=False) for each in several])


def _groups(terms: Any) -> list[str]:
    return [*terms["approver_groups"]]
