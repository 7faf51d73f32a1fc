"""Effects: outward changes, each intended before it is attempted and confirmed by a receipt."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from domain.action import Action, ActionType, ProposedAction, Refund
from domain.conversation import TextModel
from domain.fact import Money
from domain.model import (
    ApprovalId,
    Code,
    DecisionId,
    Digest,
    EffectKey,
    MessageKey,
    Model,
    RecordId,
    digest_of,
)
from domain.ticket import TicketRef


class EffectState(StrEnum):
    """Where an effect stands in the ledger."""

    INTENDED = "intended"
    CLAIMED = "claimed"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"
    COMPENSATED = "compensated"
    SETTLED = "settled"  # by a human


# The only arrows; a database trigger holds the same list.
EFFECT_ARROWS: frozenset[tuple[EffectState, EffectState]] = frozenset(
    {
        (EffectState.INTENDED, EffectState.CLAIMED),
        (EffectState.INTENDED, EffectState.WITHDRAWN),
        (EffectState.CLAIMED, EffectState.SENT),
        (EffectState.CLAIMED, EffectState.FAILED),
        (EffectState.CLAIMED, EffectState.UNKNOWN),
        (EffectState.CLAIMED, EffectState.WITHDRAWN),
        (EffectState.SENT, EffectState.CONFIRMED),
        (EffectState.SENT, EffectState.FAILED),
        (EffectState.SENT, EffectState.UNKNOWN),
        (EffectState.UNKNOWN, EffectState.CONFIRMED),
        (EffectState.UNKNOWN, EffectState.COMPENSATED),
        (EffectState.UNKNOWN, EffectState.SETTLED),
    }
)


class Refusal(StrEnum):
    """Why a claim was refused: the effect is withdrawn."""

    OWNER_CHANGED = "owner_changed"
    FROZEN = "frozen"
    OBSERVE_MODE = "observe_mode"
    NOT_ALLOWED = "not_allowed"  # no decision, or one that does not allow it
    POLICY_DENIES = "policy_denies"  # the newest policy does, or on what is true now
    POLICY_CHANGED = "policy_changed"  # together with what it counts, so that no version has allowed this
    POLICY_UNAVAILABLE = "policy_unavailable"  # its engine could not be asked for as long as we wait
    APPROVAL_NOW_NEEDED = "approval_now_needed"  # by the newest policy, and nobody was asked
    APPROVAL_FALLS_SHORT = "approval_falls_short"  # of what the newest policy demands
    APPROVAL_MISSING = "approval_missing"
    APPROVAL_USED = "approval_used"
    APPROVAL_DIFFERS = "approval_differs"
    APPROVAL_EXPIRED = "approval_expired"
    FACTS_CHANGED = "facts_changed"
    NEVER_POSTED = "never_posted"  # the message that it would change is not there
    TEXT_UNSAFE = "text_unsafe"  # a placeholder is left over, unknown or vanished


class Finding(StrEnum):
    """What a person found who looked for an effect of which nobody knew whether it happened."""

    SEEN_AT_PROVIDER = "seen_at_provider"
    NOT_THERE = "not_there"
    REPAID_BY_HAND = "repaid_by_hand"


class EffectIntent(Model):
    """Everything the ledger must know to let one proposed action out, exactly once."""

    key: EffectKey
    ticket: TicketRef
    proposed: ProposedAction
    decision_id: DecisionId
    approval_id: ApprovalId | None = None
    owner_epoch: int = Field(ge=0)
    turn: int = Field(ge=0)
    customer: RecordId | None = None  # whose it is, where that is certain; limits over a window count by it

    @property
    def digest(self) -> Digest:
        """Same key with another digest is a conflict for a human."""
        return digest_of(self.proposed)


class Clearance(NamedTuple):
    """What was found out last before a claim; the claim holds it against what is true under its locks."""

    decision_id: DecisionId  # of the newest policy, about this very effect
    redact_fields: tuple[Code, ...] = ()
    left: Money | None = None  # of the order, as the shop said at `read_at`
    read_at: datetime | None = None


class EffectResult(Model):
    """How performing an effect ended."""

    key: EffectKey
    type: ActionType
    state: EffectState
    refusal: Refusal | None = None
    input_digest: Digest


class Receipt(TextModel):
    """What the provider answered: its own id of the change. Kept in the ledger."""

    external_id: str
    received_at: datetime


def effect_key(
    ticket_id: UUID, message: MessageKey, type_: ActionType, target: str, ordinal: int
) -> EffectKey:
    """Names an effect for ever.

    Retries, resets and continue-as-new of this ticket must meet the same ledger row,
    so nothing of the run (run id, activity id, attempt) and nothing a model wrote may enter the key.
    """
    named = f"{ticket_id}/{message}/{type_}/{target}/{ordinal}"
    return "eff_" + hashlib.sha256(named.encode()).hexdigest()[:40]


def key_of(ticket_id: UUID, message: MessageKey, proposed: ProposedAction) -> EffectKey:
    """The effect that a proposed action becomes; its target is the order, else the ticket."""
    action = proposed.action
    target = action.order if isinstance(action, Refund) else str(ticket_id)
    return effect_key(ticket_id, message, action.type, target, proposed.ordinal)


class LedgerRow(TextModel):
    """An effect as the ledger has it."""

    key: EffectKey
    state: EffectState
    digest: Digest
    claimed_at: datetime | None = None
    tried_at: datetime | None = None  # when a request may have left last
    receipt: Receipt | None = None
    refusal: Refusal | None = None
    intended_at: datetime | None = None
    as_of: datetime | None = None  # by the ledger's clock
    counters_moved: bool = False  # others claimed since it was decided: decide again
    taken_before: bool = False  # a claim found that another attempt had claimed or ended it


class SendOrder(TextModel):
    """A claimed effect with its values put back, as a sender needs it. Memory only."""

    key: EffectKey
    ticket: TicketRef
    external_ticket_id: str
    source: str
    action: Action
    text: str = ""  # reply, note, or the card as JSON
    record_ids: Mapping[str, str] = Field(default={})  # opaque record id → real id
    earlier: Receipt | None = None  # of the post that an update replaces
