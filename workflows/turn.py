"""What one turn of a ticket knows so far."""

from dataclasses import dataclass, field
from datetime import datetime

from temporalio import workflow

from domain.approval import ApprovalRequest, ApprovalStatus
from domain.decision import PolicyDecision
from domain.draft import Draft
from domain.effect import EffectResult
from domain.fact import Facts
from domain.handoff import HandoffFacts, HandoffReason
from domain.knowledge import Citation
from domain.model import ArtifactRef, MessageKey, RecordId
from domain.ticket import Owner, TenantSettings, TicketRef
from domain.triage import Triage


class HandOver(Exception):
    """A turn stops here, because a person should go on."""

    def __init__(self, reason: HandoffReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Content(Exception):
    """A turn stops here, because the customer only thanks."""

    def __init__(self) -> None:
        super().__init__("The customer is content")


class DraftChanged(Exception):
    """A teammate has put other words to the question that waited."""

    def __init__(self, text: ArtifactRef, by: RecordId | None) -> None:
        super().__init__("The draft was changed")
        self.text = text
        self.by = by


@dataclass
class Question:
    """An approval that waits, and the other words that a teammate has put to it."""

    request: ApprovalRequest
    other_words: ArtifactRef | None = None
    by: RecordId | None = None
    superseded: bool | None = None  # None: nobody knows yet

    async def takes(self, words: ArtifactRef, by: RecordId) -> bool:
        """Whether these, or newer ones, take the place of what was asked about."""
        self.other_words, self.by = words, by
        await workflow.wait_condition(lambda: self.superseded is not None)
        return bool(self.superseded)


@dataclass
class Turn:
    """Grows step by step; a handover tells as much of it as there is."""

    ticket: TicketRef
    message: MessageKey
    number: int
    settings: TenantSettings
    owner_epoch: int
    owner: Owner = Owner.AUTOMATION
    conversation: ArtifactRef | None = None
    triage: Triage | None = None
    facts: Facts | None = None
    citations: tuple[Citation, ...] = ()
    draft: Draft | None = None
    decisions: list[PolicyDecision] = field(default_factory=list)
    effects: list[EffectResult] = field(default_factory=list)
    approval: ApprovalStatus | None = None
    approval_reason: ArtifactRef | None = None
    answered: bool = False  # its answer has left, or may have
    asked_at: datetime | None = None  # when the customer wrote the message
    looping: bool = False
    recontact: bool = False  # the customer writes again after an answer, which has not been recorded yet
    acknowledged: bool = False  # the customer has been told that they are heard, or it was tried
    acknowledgement: EffectResult | None = None
    refunded: bool = False
    revision: int = 1  # of the draft
    changed_by: RecordId | None = None
    question: Question | None = None  # that waits for people

    def __post_init__(self) -> None:
        self.first_epoch = self.owner_epoch

    def told(self, reason: HandoffReason) -> HandoffFacts:
        """What the context bundle is made from."""
        return HandoffFacts(
            ticket=self.ticket,
            message=self.message,
            turn=self.number,
            reason=reason,
            conversation=self.conversation,
            triage=self.triage,
            facts=self.facts,
            citations=self.citations,
            decisions=tuple(self.decisions),
            effects=tuple(self.effects),
            acknowledgement=self.acknowledgement,
            approval=self.approval,
            approval_reason=self.approval_reason,
        )
