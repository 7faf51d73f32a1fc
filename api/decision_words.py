"""Decisions, approvals and effects in plain words, for people who do not read JSON."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest

from adapters.postgres.decision_records import ApprovalRecord, DecisionRecord, EffectRecord
from api import words
from api.input_words import money
from api.words import said, sentence
from domain.conversation import TextModel
from domain.model import RecordId


class ToldReason(TextModel):
    """A rule that spoke, and what it said."""

    rule: str
    code: str
    message: str


class ToldDecision(TextModel):
    """A decision as a sentence, with its rules."""

    id: str
    at: datetime
    turn: int
    headline: str
    verdict: str
    reasons: tuple[ToldReason, ...]
    conditions: tuple[str, ...]


class ToldAnswer(TextModel):
    """Somebody's answer, or their click that was not counted."""

    who: str
    what: str
    at: datetime


class ToldApproval(TextModel):
    """A question to people, and how it ended."""

    status: str
    state: str
    asked: str
    requested_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    seal: str
    decision_id: str
    votes: tuple[ToldAnswer, ...]
    refused: tuple[ToldAnswer, ...]


class ToldEffect(TextModel):
    """Something that left, or was to leave."""

    what: str
    state: str
    how: str
    receipt: str
    at: datetime
    id: str
    decision_id: str


def told_decisions(made: Sequence[DecisionRecord]) -> Sequence[ToldDecision]:
    """In the given order."""
    return [_told_decision(decision) for decision in made]


def told_approvals(
    asked: Sequence[ApprovalRecord], names: Mapping[RecordId, str], me: RecordId
) -> Sequence[ToldApproval]:
    """In the given order."""

    def who(principal: RecordId) -> str:
        return "You" if principal == me else names.get(principal, "Somebody who is not registered")

    return [
        ToldApproval(
            status=said(words.APPROVALS, approval.status),
            state=approval.status,
            asked=f"{approval.quorum} of {words.listed(approval.approver_groups)}",
            requested_at=approval.requested_at,
            expires_at=approval.expires_at,
            closed_at=approval.closed_at,
            seal=approval.seal or "",
            decision_id=approval.decision_id,
            votes=tuple(
                ToldAnswer(who=who(vote.principal_id), what=_vote(vote.kind), at=vote.cast_at)
                for vote in approval.votes
            ),
            refused=tuple(
                ToldAnswer(
                    who=who(click.principal_id), what=said(words.CLICKS, click.why), at=click.refused_at
                )
                for click in approval.refusals
            ),
        )
        for approval in asked
    ]


def told_effects(effects: Sequence[EffectRecord]) -> Sequence[ToldEffect]:
    """In the given order."""
    return [
        ToldEffect(
            what=sentence(said(words.ACTIONS, effect.type)),
            state=effect.state,
            how=sentence(said(words.EFFECT_STATES, effect.state))
            + (f": {words.words(effect.refusal)}" if effect.refusal else ""),
            receipt=effect.receipt_id or "",
            at=effect.received_at or effect.moved_at or effect.intended_at,
            id=effect.id,
            decision_id=effect.decision_id,
        )
        for effect in effects
    ]


def _told_decision(decision: DecisionRecord) -> ToldDecision:
    action = decision.input.get("action")
    amount = money(action.get("amount")) if isinstance(action, dict) else None
    what = said(words.ACTIONS, decision.action_type) + (f" of {amount}" if amount else "")
    when = " about to leave" if decision.effect_id else ""
    # Messages are stored in the order of the reasons.
    pairs = zip_longest(decision.reasons, decision.messages)
    return ToldDecision(
        id=decision.id,
        at=decision.decided_at,
        turn=decision.turn,
        headline=f"{sentence(what)}{when}: policy {said(words.VERDICTS, decision.verdict)}",
        verdict=decision.verdict,
        reasons=tuple(
            ToldReason(
                rule=words.words(reason.rule) if reason else "",
                code=words.words(reason.code) if reason else "",
                message=message or (sentence(words.words(reason.code)) if reason else ""),
            )
            for reason, message in pairs
        ),
        conditions=tuple(_conditions(decision)),
    )


def _conditions(decision: DecisionRecord) -> Iterator[str]:
    wanted = decision.obligations
    if wanted is None:
        return
    if wanted.redact_fields:
        yield f"Without {', '.join(map(words.words, wanted.redact_fields))}"
    if decision.verdict != "approval_needed":
        return
    people = "one person" if wanted.quorum == 1 else f"{wanted.quorum} people"
    yield f"Needs a yes from {people} of {words.listed(wanted.approver_groups)}"
    yield f"Waits {_span(wanted.expires_in_s)}; without an answer {said(words.TIMEOUTS, wanted.on_timeout)}"


def _span(seconds: int) -> str:
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % unit == 0:
            count = seconds // unit
            return f"{count} {name}{'' if count == 1 else 's'}"
    raise AssertionError


def _vote(kind: str) -> str:
    return {"approve": "said yes", "reject": "said no"}.get(kind, words.words(kind))
