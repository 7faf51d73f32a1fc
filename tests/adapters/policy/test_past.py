"""A past decision under another policy: same, flipped or unknown, and which rules make the difference."""

import json

import pytest

from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.past import Judge, Outcome, Past, Redecided, redecide
from adapters.policy.tables import Document, pack
from domain.decision import EngineAnswer, Obligations, Reason, Verdict
from tests.adapters.policy_inputs import other, refund, reply

TEXT = pack("support_default").read_text()


def judge(*changes: tuple[str, str]) -> Judge:
    text = TEXT
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return Judge(alone(parse(text)))


def past(document: Document, by: Judge) -> Past:
    text = json.dumps(document)
    unanswered = Past(text, document, EngineAnswer(verdict=Verdict.DENY, reasons=()))
    return Past(text, document, by.confirmed(unanswered))


def redecided(document: Document, *changes: tuple[str, str]) -> Redecided:
    then = judge()
    return redecide(past(document, then), then, judge(*changes))


LOWER = ('"50.00"', '"20.00"')
TWO_PEOPLE = ("quorum: 1", "quorum: 2")
OTHER_GROUP = ("[approvers]", "[leads]")
IN_OFFICE_HOURS = ("    threshold:", "    hours: {zone: UTC, open: {daily: ['09:00-17:00']}}\n    threshold:")
NO_REFUNDS = (
    "      actions: [refund]\n    threshold:",
    "      actions: [refund]\n    deny: true\n    threshold:",
)
NOT_MARKED = ("must_hold: true", "must_hold: false")


@pytest.mark.parametrize(
    ("document", "change", "outcome", "rules", "held"),
    [
        (refund(2000), LOWER, Outcome.SAME, None, set()),
        (refund(2001), LOWER, Outcome.FLIPS, ["refunds_by_amount"], {"refunds_by_amount"}),
        (refund(2001), NOT_MARKED, Outcome.SAME, None, set()),
        # Obligations count as much as the verdict.
        (refund(5001), TWO_PEOPLE, Outcome.FLIPS, ["refunds_by_amount"], {"refunds_by_amount"}),
        (refund(5001), OTHER_GROUP, Outcome.FLIPS, ["refunds_by_amount"], {"refunds_by_amount"}),
        (refund(5000), TWO_PEOPLE, Outcome.SAME, None, set()),
        (reply("public"), NO_REFUNDS, Outcome.SAME, None, set()),
        (refund(2000), NO_REFUNDS, Outcome.FLIPS, ["refunds_by_amount"], {"refunds_by_amount"}),
        # What the input does not have is never a flip.
        (refund(2000), IN_OFFICE_HOURS, Outcome.UNKNOWN, None, set()),
        (refund(2000) | {"at": "2026-11-30T10:00:00Z"}, IN_OFFICE_HOURS, Outcome.SAME, None, set()),
        (
            refund(2000) | {"at": "2026-11-30T20:00:00Z"},
            IN_OFFICE_HOURS,
            Outcome.FLIPS,
            ["refunds_by_amount"],
            {"refunds_by_amount"},
        ),
        # Refused by a rule that lacks nothing, so what is lacking cannot matter.
        (refund(2000) | {"requester_known": False}, IN_OFFICE_HOURS, Outcome.SAME, None, set()),
        (refund(50001), IN_OFFICE_HOURS, Outcome.SAME, None, set()),
        (refund(50000), IN_OFFICE_HOURS, Outcome.UNKNOWN, None, set()),
        (other("private_note"), IN_OFFICE_HOURS, Outcome.SAME, None, set()),
    ],
)
def test_what_a_change_makes_of_a_past_decision(
    document: Document, change: tuple[str, str], outcome: Outcome, rules: list[str] | None, held: set[str]
) -> None:
    found = redecided(document, change)

    assert (found.outcome, {*found.held}, found.reproduced) == (outcome, held, True)
    if rules is not None:
        assert found.rules == rules


def test_marked_rule_that_is_gone_is_named_even_where_another_still_refuses() -> None:
    two = TEXT + "\n  - id: never\n    must_hold: true\n    when: {actions: [refund]}\n    deny: true\n"
    three = two + "  - id: never_too\n    when: {actions: [refund]}\n    deny: true\n"
    then, candidate = (
        Judge(alone(parse(three))),
        Judge(alone(parse(three.replace("id: never\n", "id: no\n")))),
    )

    found = redecide(past(refund(2000), then), then, candidate)

    assert (found.outcome, {*found.held}) == (Outcome.SAME, {"never"})


def test_unknown_decisions_name_the_fields() -> None:
    assert redecided(refund(2000), IN_OFFICE_HOURS).lacking == {"at"}
    assert redecided(refund(2000), LOWER).lacking == set()


def test_without_the_policy_of_that_time_the_record_is_compared() -> None:
    recorded = EngineAnswer(
        verdict=Verdict.APPROVAL_NEEDED,
        reasons=(Reason(rule="refunds_by_amount", code="above_limit_needs_approval"),),
        obligations=Obligations(approver_groups=("approvers",)),
    )
    document = refund(5001)

    same = redecide(Past(json.dumps(document), document, recorded), None, judge())
    flipped = redecide(Past(json.dumps(document), document, recorded), None, judge(NO_REFUNDS))

    assert (same.outcome, same.reproduced, {*same.held}) == (Outcome.SAME, None, set())
    assert (flipped.outcome, {*flipped.held}) == (Outcome.FLIPS, {"refunds_by_amount"})


def test_changed_library_is_no_flip_of_the_candidate() -> None:
    then = judge()
    recorded = EngineAnswer(verdict=Verdict.ALLOW, reasons=())
    document = refund(5001)

    found = redecide(Past(json.dumps(document), document, recorded), then, judge())

    assert (found.outcome, found.reproduced) == (Outcome.SAME, False)
