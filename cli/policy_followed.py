"""What came of a decision, in sentences: questions, votes, effects, other decisions, candidates beside it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from adapters.postgres.decision_records import ApprovalRecord, DecisionRecord, DecisionStory, EffectRecord
from api import words
from api.words import listed, said
from cli.policy_otherwise import ANSWERS
from domain.decision import Verdict


def followed(story: DecisionStory, again: Sequence[DecisionRecord]) -> Iterator[str]:
    """In the order of time within each kind; says so where nothing followed."""
    for asked in story.approvals:
        yield from _question(asked)
    for effect in story.effects:
        yield _effect(effect)
    if not story.approvals and not story.effects:
        yield "Nothing: nobody was asked and nothing was sent on this decision."
    for other in again:
        verdict = said(words.VERDICTS, other.verdict)
        why = "was decided again as it was about to leave" if other.effect_id else "was decided too"
        yield f"{when(other.decided_at)}: the same proposal {why} ({other.id}): policy {verdict}."
    for each in story.candidates:
        answer = ANSWERS[Verdict(each.candidate_verdict)]
        yield f"Candidate {each.candidate} was tried beside it: {answer} ({', '.join(each.rules)})."


def when(moment: datetime) -> str:
    """To the second, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _question(asked: ApprovalRecord) -> Iterator[str]:
    yield (
        f"{when(asked.requested_at)}: {listed(asked.approver_groups)} were asked ({asked.id}),"
        f" until {when(asked.expires_at)}."
    )
    for vote in asked.votes:
        groups = ", ".join(map(words.words, vote.groups))
        yield f"{when(vote.cast_at)}: {vote.principal_id} of {groups} answered {words.words(vote.kind)}."
    for click in asked.refusals:
        why = said(words.CLICKS, click.why)
        yield f"{when(click.refused_at)}: a click of {click.principal_id} was not counted: {why}."
    closed = f"{when(asked.closed_at)}: " if asked.closed_at else ""
    yield f"{closed}the question is {said(words.APPROVALS, asked.status)}."


def _effect(effect: EffectRecord) -> str:
    what, how = said(words.ACTIONS, effect.type), said(words.EFFECT_STATES, effect.state)
    refusal = f", because {words.words(effect.refusal)}" if effect.refusal else ""
    receipt = f", receipt {effect.receipt_id}" if effect.receipt_id else ""
    at = effect.received_at or effect.moved_at or effect.intended_at
    return f"{when(at)}: the {what} is {how}{refusal}{receipt} ({effect.id})."
