"""What today's code makes of recorded histories: the same, or one sentence that says what differs."""

import json
import logging

import pytest

from activities.bundle import RENDERER_VERSION
from activities.renderers import RENDERERS
from adapters.history_text import packed, text_of, unpacked
from adapters.in_memory import InMemoryKeys
from adapters.temporal_replay import CommandRecorder, Drift, history_of
from cli.bundle import _prepared
from cli.recorded import Replayed, replayed
from cli.replay import _lines, _verdict
from domain.handoff import HandoffFacts, HandoffReason
from domain.history import RecordedRun
from domain.model import digest_of
from tests.office import NOW, TICKET
from tests.replay.record import golden

HANDED_OVER = {
    "refund_rejected": HandoffReason.APPROVAL_REJECTED,
    "refund_expired": HandoffReason.APPROVAL_EXPIRED,
    "refund_denied": HandoffReason.POLICY_DENIED,
    "human_wanted": HandoffReason.ASKED_FOR_HUMAN,
    "injection": HandoffReason.SUSPECTED_INJECTION,
    "nothing_found": HandoffReason.NOTHING_FOUND,
    "quarantined": HandoffReason.QUARANTINED,
    "assisted": HandoffReason.ASSIST_MODE,
}
RUN = RecordedRun(f"ticket:{TICKET.tenant_id}:{TICKET.route}", "0d9e6a51-run", NOW, "{}")
BUNDLE_1 = """Handed over by Countersign

Why this is yours
- The customer asks for a person.

What the customer asks
- A person, please

Approval
- Rejected
- Reason: No

Bundle 1"""


def ticket_history(name: str) -> str:
    return text_of(golden(name)[0])


@pytest.mark.parametrize("name", HANDED_OVER)
async def test_workflow_says_again_what_each_bundle_was_made_from(name: str) -> None:
    result = await replayed(InMemoryKeys(), ticket_history(name))

    (handover,) = _prepared(result.recorder.answers)
    assert result.difference == ""
    assert handover.facts.reason is HANDED_OVER[name]
    assert digest_of(handover.facts) == handover.prepared.input_digest


CHILD = "Child workflow type of scheduled event 'Other' does not match child workflow type of command"
STEP = "Activity type of scheduled event 'act' does not match activity type of activity command"


@pytest.mark.parametrize(
    ("was", "changed", "sentence"),
    [
        ('"ApprovalWorkflow"', '"Other"', f"Nondeterminism error: {CHILD} 'ApprovalWorkflow'"),
        ('"perform"', '"act"', f"Nondeterminism error: {STEP} 'perform'"),
        ('"TicketWorkflow"', '"Former"', "The workflow fails with NotFoundError"),
    ],
)
async def test_difference_is_one_sentence_and_nothing_else_is_said(
    capfd: pytest.CaptureFixture[str], was: str, changed: str, sentence: str
) -> None:
    history = ticket_history("refund_approved").replace(was, changed)

    result = await replayed(InMemoryKeys(), history)

    assert result.difference == sentence
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("temporalio").handlers, "Python would print what the SDK logs"


async def test_packed_history_is_the_same_text_and_replays() -> None:
    text = ticket_history("answered")

    again = unpacked(packed(text))

    assert again == text
    assert text_of(history_of(again)) == text
    assert packed(text) == packed(again)
    assert len(packed(text)) < len(text)
    assert json.loads(text)["events"]
    assert (await replayed(InMemoryKeys(), again)).difference == ""


def test_report_names_difference_drift_and_what_was_erased() -> None:
    drift = Drift(RUN.workflow_id, "draft", "sha256:" + "1" * 64, "sha256:" + "2" * 64)
    same = Replayed(10, CommandRecorder())
    other = Replayed(12, CommandRecorder(drifts=[drift]), "NondeterminismError: no")

    assert _lines(RUN, same) == ["2026-11-20 12:00:00  ticket    run 0d9e6a51  10 events  OK"]
    assert _lines(RUN, other)[1:] == [
        "  NondeterminismError: no",
        "  drift: step 'draft' would get another input today",
    ]
    assert "erased" in _lines(RUN, None)[0]
    assert _verdict([same]) == "1 of 1 runs replayed, no difference"
    assert _verdict([same, other, None]) == "2 of 3 runs replayed, 1 differ, 1 have drifts"


def test_today_s_renderer_is_kept_for_later() -> None:
    assert RENDERER_VERSION in RENDERERS


def test_renderer_1_makes_the_bytes_it_always_made() -> None:
    facts = HandoffFacts(
        ticket=TICKET,
        message="msg_" + "1" * 32,
        turn=1,
        reason=HandoffReason.ASKED_FOR_HUMAN,
        approval="rejected",
    )

    assert RENDERERS["1"](facts, "A person, please", "No") == BUNDLE_1
