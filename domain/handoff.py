"""Handoff: automation stops and a teammate owns the ticket, with the whole story."""

from enum import StrEnum

from domain.approval import ApprovalStatus
from domain.decision import PolicyDecision
from domain.draft import Abstention
from domain.effect import EffectResult
from domain.fact import Facts
from domain.knowledge import Citation
from domain.model import ArtifactRef, MessageKey, Model
from domain.ticket import TicketRef
from domain.triage import Language, Signal, Triage


class HandoffReason(StrEnum):
    """Why a person should own a ticket."""

    ASKED_FOR_HUMAN = "asked_for_human"
    LEGAL_THREAT = "legal_threat"
    SUSPECTED_INJECTION = "suspected_injection"
    IDENTITY_IN_DOUBT = "identity_in_doubt"
    UNSUPPORTED_LANGUAGE = "unsupported_language"
    LOW_CONFIDENCE = "low_confidence"
    NOTHING_FOUND = "nothing_found"
    POLICY_DENIED = "policy_denied"
    APPROVAL_REJECTED = "approval_rejected"
    APPROVAL_EXPIRED = "approval_expired"
    APPROVAL_CANCELLED = "approval_cancelled"
    EFFECT_WITHDRAWN = "effect_withdrawn"
    EFFECT_FAILED = "effect_failed"
    EFFECT_UNKNOWN = "effect_unknown"
    QUARANTINED = "quarantined"  # redaction could not be trusted
    TOO_MANY_TURNS = "too_many_turns"
    TAKEN_OVER = "taken_over"  # a teammate wanted it, whatever automation thought of it
    LOOP_SUSPECTED = "loop_suspected"  # two systems seem to answer each other
    ASSIST_MODE = "assist_mode"  # the draft is a private note for a teammate
    ERROR = "error"  # something broke; the log has the details


SIGNAL_REASONS = {
    Signal.ASKS_FOR_HUMAN: HandoffReason.ASKED_FOR_HUMAN,
    Signal.LEGAL_THREAT: HandoffReason.LEGAL_THREAT,
    Signal.INJECTION: HandoffReason.SUSPECTED_INJECTION,
    Signal.IDENTITY_IN_DOUBT: HandoffReason.IDENTITY_IN_DOUBT,
}


class HandoffFacts(Model):
    """What the context bundle is made from: references and records of the turn, no text."""

    ticket: TicketRef
    message: MessageKey
    turn: int
    reason: HandoffReason
    conversation: ArtifactRef | None = None  # redacted; None in quarantine
    triage: Triage | None = None
    facts: Facts | None = None
    citations: tuple[Citation, ...] = ()
    decisions: tuple[PolicyDecision, ...] = ()
    effects: tuple[EffectResult, ...] = ()
    acknowledgement: EffectResult | None = None  # a fixed word to the customer, which answers nothing
    approval: ApprovalStatus | None = None
    approval_reason: ArtifactRef | None = None


def reason_before_drafting(triage: Triage) -> HandoffReason | None:
    """Triggers that need no draft. Deterministic; the first in the order of `Signal` wins."""
    if triage.language is not Language.ENGLISH:
        return HandoffReason.UNSUPPORTED_LANGUAGE
    for signal in Signal:
        if signal in triage.signals and signal in SIGNAL_REASONS:
            return SIGNAL_REASONS[signal]
    return None


def reason_of(abstention: Abstention) -> HandoffReason:
    """A drafter that abstains hands over."""
    return HandoffReason(abstention.value)
