"""Approvals: the question put to people about one proposed action, and their votes."""

import hashlib
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.action import ProposedAction
from domain.decision import Obligations, PolicyDecision
from domain.model import ApprovalId, ArtifactRef, Code, Digest, MessageKey, Model, RecordId
from domain.ticket import Mode, TicketRef


class VoteKind(StrEnum):
    """What one person can answer."""

    APPROVE = "approve"
    REJECT = "reject"


class ApprovalStatus(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"  # the draft was changed: another question takes its place


class VoteRefusal(StrEnum):
    """Why a vote was not taken. Shown to the person who cast it."""

    NOT_PENDING = "not_pending"
    NOT_ELIGIBLE = "not_eligible"
    STALE_ELIGIBILITY = "stale_eligibility"
    CARD_CHANGED = "card_changed"
    EXPIRED = "expired"
    ALREADY_VOTED = "already_voted"
    SELF_APPROVAL = "self_approval"
    REASON_MISSING = "reason_missing"


class Eligibility(Model):
    """Who voted and what they are entitled to, resolved before the vote and carried with it."""

    principal: RecordId
    groups: tuple[Code, ...]
    as_of: AwareDatetime


class Vote(Model):
    """One person's answer to exactly what they saw."""

    approval_id: ApprovalId
    revision: int = Field(ge=1)
    digest: Digest  # of the proposed action
    kind: VoteKind
    eligibility: Eligibility
    reason: ArtifactRef | None = None  # redacted


class ApprovalRequest(Model):
    """What the approval workflow is started with."""

    approval_id: ApprovalId
    ticket: TicketRef
    turn: int = Field(ge=0)
    message: MessageKey
    owner_epoch: int = Field(ge=0)
    proposed: ProposedAction
    decision: PolicyDecision
    obligations: Obligations
    card: ArtifactRef
    revision: int = Field(default=1, ge=1)
    mode: Mode = Mode.ASSIST
    changed_by: RecordId | None = None  # who put the words, where they are not the drafter's


class ChangeDraft(Model):
    """A teammate's other words for the reply of a question that waits: decided and asked anew."""

    ticket: TicketRef
    approval_id: ApprovalId
    text: ArtifactRef  # redacted
    eligibility: Eligibility


class ApprovalResult(Model):
    """How an approval ended."""

    approval_id: ApprovalId
    status: ApprovalStatus
    reason: ArtifactRef | None = None
    voters: tuple[RecordId, ...] = ()


def approval_id(
    ticket_id: UUID, message: MessageKey, action: Digest, owner_epoch: int = 0, revision: int = 1
) -> ApprovalId:
    """One question per action and triggering message.

    A ticket that was handed back is asked about anew, and so is a draft that was changed.
    """
    again = "".join(
        f"/{word}{number}" for word, number in (("e", owner_epoch), ("r", revision - 1)) if number
    )
    return "apr_" + hashlib.sha256(f"{ticket_id}/{message}/{action}{again}".encode()).hexdigest()[:32]


def refusal_of(
    vote: Vote,
    request: ApprovalRequest,
    groups: frozenset[Code],
    voted: frozenset[RecordId],
    status: ApprovalStatus,
) -> VoteRefusal | None:
    """The timeless part of a vote's validation; freshness and expiry need the workflow's clock.

    `groups` may answer by now.
    """
    if status is not ApprovalStatus.PENDING:
        return VoteRefusal.NOT_PENDING
    if vote.revision != request.revision or vote.digest != request.proposed.digest:
        return VoteRefusal.CARD_CHANGED
    if not groups & set(vote.eligibility.groups):
        return VoteRefusal.NOT_ELIGIBLE
    if vote.eligibility.principal in voted:
        return VoteRefusal.ALREADY_VOTED
    if vote.kind is VoteKind.REJECT and vote.reason is None:
        return VoteRefusal.REASON_MISSING
    return None
