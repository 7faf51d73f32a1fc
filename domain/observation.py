"""A candidate policy tried beside the one that decides: what was counted, and whether it is enough."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.conversation import TextModel
from domain.decision import Obligations, Reason, Verdict
from domain.model import Code, DecisionId, Digest

# Below these, what was observed may not have seen a weekend, a month's end or a rare action.
ENOUGH_TIME = timedelta(days=7)
ENOUGH_DECISIONS = 500

COUNTS = ("decisions", "different", "unknown", "failed", "dropped")


class Difference(TextModel):
    """One decision that the candidate would have made otherwise."""

    decision_id: DecisionId
    active: Digest
    ticket_id: UUID
    action_type: Code
    verdict: Verdict
    candidate_verdict: Verdict
    rules: tuple[Code, ...]  # that decide in one of both only
    must_hold: tuple[Code, ...] = ()
    reasons: tuple[Reason, ...]  # of the candidate
    obligations: Obligations | None = None  # of the candidate


class Observation(TextModel):
    """A batch of decisions of one tenant that one candidate was put to. `files` are those not in force."""

    tenant_id: UUID
    candidate: Digest
    files: tuple[Digest, ...]
    decisions: int = Field(ge=0)
    unknown: int = Field(0, ge=0)  # the candidate asks for what was not looked up
    failed: int = Field(0, ge=0)  # its engine gave no answer, or was too slow to be asked again
    dropped: int = Field(0, ge=0)  # decided while too many waited
    began_at: AwareDatetime
    differences: tuple[Difference, ...] = ()


class Observed(TextModel):
    """Everything that is known of a candidate of a tenant."""

    candidate: Digest
    since: datetime
    until: datetime
    decisions: int
    different: int
    unknown: int
    failed: int
    dropped: int

    def doubts(self) -> Iterator[str]:
        """Why it may be too early to put it in force; nothing where it was observed long and often enough."""
        span = self.until - self.since
        if span < ENOUGH_TIME:
            yield f"It was observed for {_span(span)}, which is less than {ENOUGH_TIME.days} days"
        compared = self.decisions - self.unknown - self.failed
        if compared < ENOUGH_DECISIONS:
            yield f"It was compared in {compared} decisions, which is fewer than {ENOUGH_DECISIONS}"
        if self.failed:
            yield f"It gave no answer in {self.failed} decisions"
        if self.dropped:
            yield f"{self.dropped} decisions were not looked at, because too many waited"


def together(parts: Sequence[Observed]) -> Observed | None:
    """One file beside different others, or for different tenants. None where there is nothing."""
    if not parts:
        return None
    counts = {name: sum(getattr(each, name) for each in parts) for name in COUNTS}
    since, until = min(each.since for each in parts), max(each.until for each in parts)
    return Observed(candidate=parts[0].candidate, since=since, until=until, **counts)


def _span(span: timedelta) -> str:
    if span >= timedelta(days=1):
        return f"{span.days} day{'' if span.days == 1 else 's'}"
    hours = int(span.total_seconds()) // 3600
    if not hours:
        return "less than an hour"
    return f"{hours} hour{'' if hours == 1 else 's'}"
