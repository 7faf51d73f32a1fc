"""What people think of a handoff: right, or automation could have answered. The last word counts."""

from enum import StrEnum

from domain.model import Model
from domain.ownership import SENTENCES, OwnershipRefusal


class HandoffVerdict(StrEnum):
    """Whether the ticket should have been handed over."""

    RIGHT = "right"
    WRONG = "wrong"


class JudgementRefusal(StrEnum):
    """Why a judgement does not count. Who may judge, may also take over."""

    UNKNOWN_PRINCIPAL = "unknown_principal"
    NOT_ENTITLED = "not_entitled"
    UNKNOWN_TICKET = "unknown_ticket"
    NOT_HANDED_OVER = "not_handed_over"


NOT_HANDED_OVER = "Automation has never handed this ticket over, so there is no handoff to judge"


class JudgementRefused(Exception):
    """Nothing was written."""

    def __init__(self, why: JudgementRefusal) -> None:
        known = why is not JudgementRefusal.NOT_HANDED_OVER
        super().__init__(SENTENCES[OwnershipRefusal(why)] if known else NOT_HANDED_OVER)
        self.why = why


class HandoffStanding(Model):
    """Whether there is a handoff to judge, and what was said of it last."""

    handed_over: bool
    verdict: HandoffVerdict | None = None


class Judgement(Model):
    """What counts now."""

    verdict: HandoffVerdict
    changed: bool  # False: the same word of the same person again
