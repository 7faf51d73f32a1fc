"""What tickets took and how they ended, as numbers that anybody can reckon again. Pure.

`docs/measures.md` says the same in words. Ids, enums, numbers and times; no text.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from pydantic import AwareDatetime

from domain.judgement import HandoffVerdict
from domain.model import Code, Model
from domain.ticket import Outcome

ANSWERED = frozenset({Outcome.ASSUMED, Outcome.CONFIRMED})
MILLISECOND = timedelta(milliseconds=1)


class OutcomeStep(Model):
    """One change of a ticket's outcome."""

    sequence: int
    previous: Outcome | None = None
    outcome: Outcome | None = None
    reason: Code | None = None
    at: AwareDatetime


class TurnMeasure(Model):
    """What one turn took."""

    turn: int
    received_at: AwareDatetime | None = None
    first_reply_at: AwareDatetime | None = None
    settled_at: AwareDatetime
    waited_for_people_ms: int | None = None  # None: nobody was asked
    approved_unchanged: bool | None = None  # None: nobody has answered
    decided_in_ms: int | None = None
    handoff_reason: Code | None = None


class TicketRecord(Model):
    """Everything that the numbers are made from, for one ticket."""

    ticket_id: UUID
    opened_at: AwareDatetime
    outcome: Outcome | None = None
    outcomes: tuple[OutcomeStep, ...] = ()
    turns: tuple[TurnMeasure, ...] = ()
    edit_distances_permille: tuple[int, ...] = ()
    handoff_judged: HandoffVerdict | None = None

    @property
    def replied(self) -> bool:
        """Whether an answer of ours has left."""
        return any(turn.first_reply_at for turn in self.turns)

    @property
    def escalated(self) -> bool:
        """Whether people had to have it, or took it."""
        given = any(step.outcome is Outcome.HANDED_OVER for step in self.outcomes)
        return given or any(turn.handoff_reason for turn in self.turns)

    @property
    def contained(self) -> bool:
        """Answered to the end without a person, so far."""
        asked = any(turn.waited_for_people_ms is not None for turn in self.turns)
        return self.outcome in ANSWERED and self.replied and not self.escalated and not asked

    @property
    def recontacted(self) -> bool:
        """The customer wrote again after an answer."""
        return any(step.outcome is Outcome.RECONTACTED for step in self.outcomes)

    @property
    def reopened(self) -> bool:
        """The customer wrote again after the ticket had counted as answered."""
        return any(
            step.previous in ANSWERED and step.outcome is Outcome.RECONTACTED for step in self.outcomes
        )

    @property
    def first_response_ms(self) -> int | None:
        """From the first message to the first answer."""
        begun = self.turns[0].received_at if self.turns else None
        replies = [turn.first_reply_at for turn in self.turns if turn.first_reply_at]
        return (min(replies) - begun) // MILLISECOND if begun and replies else None

    @property
    def handle_ms(self) -> int | None:
        """All turns together, waiting for people included."""
        took = [turn.settled_at - turn.received_at for turn in self.turns if turn.received_at]
        return sum(took, timedelta()) // MILLISECOND if took else None


class Share(Model):
    """So many of so many."""

    part: int
    whole: int

    @property
    def permille(self) -> int | None:
        """None of nothing."""
        return round(1000 * self.part / self.whole) if self.whole else None


class Measures(Model):
    """The numbers of a tenant. Whoever has the export can reckon each of them again."""

    tickets: int
    worked: int  # with at least one settled turn
    first_response_p50_ms: int | None
    first_response_p95_ms: int | None
    handle_p50_ms: int | None
    handle_p95_ms: int | None
    contained: Share
    escalated: Share
    recontacted: Share
    reopened: Share
    approved_unchanged: Share
    handoffs_right: Share
    edits: int
    edit_distance_p50_permille: int | None


def measures_of(records: Sequence[TicketRecord]) -> Measures:
    """Of the tickets given, whatever chose them."""
    worked = [record for record in records if record.turns]
    replied = [record for record in worked if record.replied]
    responses = _known(record.first_response_ms for record in worked)
    handled = _known(record.handle_ms for record in worked)
    answers = [
        turn.approved_unchanged for r in worked for turn in r.turns if turn.approved_unchanged is not None
    ]
    judged = [record.handoff_judged for record in records if record.handoff_judged]
    edits = [distance for record in records for distance in record.edit_distances_permille]
    return Measures(
        tickets=len(records),
        worked=len(worked),
        first_response_p50_ms=percentile(responses, 50),
        first_response_p95_ms=percentile(responses, 95),
        handle_p50_ms=percentile(handled, 50),
        handle_p95_ms=percentile(handled, 95),
        contained=_share(record.contained for record in worked),
        escalated=_share(record.escalated for record in worked),
        recontacted=_share(record.recontacted for record in replied),
        reopened=_share(record.reopened for record in replied),
        approved_unchanged=_share(answers),
        handoffs_right=_share(verdict is HandoffVerdict.RIGHT for verdict in judged),
        edits=len(edits),
        edit_distance_p50_permille=percentile(edits, 50),
    )


def percentile(values: Sequence[int], percent: int) -> int | None:
    """Nearest rank: a value that was really measured. None of nothing."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1] if values else None


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]


def _share(flags: Iterable[bool]) -> Share:
    counted = list(flags)
    return Share(part=sum(counted), whole=len(counted))
