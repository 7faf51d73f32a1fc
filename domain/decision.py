"""Policy decisions: verdict, reasons and the complete input they were made from."""

import hashlib
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.action import ActionType, RiskBand
from domain.conversation import TextModel
from domain.fact import Money, OrderStatus
from domain.knowledge import KnowledgeZone
from domain.model import Code, Currency, DecisionId, Digest, EffectKey, Model
from domain.ticket import Mode, Owner, TicketStatus
from domain.triage import Priority, Signal

# A year: nobody waits longer, and timers cannot hold what has no end.
LONGEST_EXPIRY_S = 366 * 24 * 3600


class Verdict(StrEnum):
    """Policy's answer, mildest to strictest."""

    ALLOW = "allow"
    SANITIZE = "sanitize"
    APPROVAL_NEEDED = "approval_needed"
    DENY = "deny"


STRICTNESS = {verdict: rank for rank, verdict in enumerate(Verdict)}


def strictest(*verdicts: Verdict) -> Verdict:
    """The strictest wins; no verdict at all is `deny`."""
    return max(verdicts, key=STRICTNESS.__getitem__, default=Verdict.DENY)


class OnTimeout(StrEnum):
    """What an unanswered approval turns into. Never approval."""

    WAIT = "wait"
    HAND_OVER = "hand_over"
    REJECT = "reject"


class PermissionLevel(StrEnum):
    """What an agent may do by itself."""

    READ = "read"
    DRAFT = "draft"
    EXECUTE_WITH_APPROVAL = "execute_with_approval"
    EXECUTE = "execute"


class Channel(StrEnum):
    """Who will see an effect."""

    PUBLIC = "public"
    INTERNAL = "internal"


class Purpose(StrEnum):
    """What the tenant's data is used for."""

    SUPPORT = "support"
    INVESTIGATION = "investigation"
    TRAINING = "training"
    MARKETING = "marketing"


# Values of arguments and facts: ids, codes, flags, whole numbers, money, lists of ids. Never a text.
Value = bool | int | str | Money | tuple[str, ...]


class ActionInput(TextModel):
    """The proposed action as policy sees it."""

    type: Code
    band: RiskBand
    digest: Digest
    amount: Money | None = None
    status: TicketStatus | None = None
    tags: tuple[Code, ...] = ()
    zones: tuple[KnowledgeZone, ...] = ()
    destination: Code | None = None  # a named channel of the tenant, such as `support`
    resource_tenant_id: UUID | None = None  # whose record it reads or changes
    arguments: dict[Code, Value] = Field(default_factory=dict)  # of a declared action


class AgentLink(TextModel):
    """One agent of a chain, and what it says it may do."""

    id: Code
    permission_level: PermissionLevel


class AgentInput(TextModel):
    """The AI worker that proposes; `chain` names who sent it, from the first to its parent."""

    id: Code = "support_agent"
    permission_level: PermissionLevel = PermissionLevel.EXECUTE
    chain: tuple[AgentLink, ...] = ()


class IdentityInput(TextModel):
    """How sure we are of who asks."""

    verified: bool
    evidence: tuple[Code, ...] = ()


class ConsentInput(TextModel):
    """Whether the customer has agreed to exactly this action."""

    given: bool
    evidence: tuple[Code, ...] = ()


class CounterInput(TextModel):
    """What left or was claimed in a window: how often, and how much in each currency (minor units)."""

    count: int = Field(ge=0)
    amounts: dict[Currency, int] = Field(default_factory=dict)


class ResidencyInput(TextModel):
    """In which regions the model runs and the data rests."""

    model_region: Code
    storage_region: Code


class TicketInput(TextModel):
    """What policy may know of the ticket: labels and counts, never text."""

    intent: Code | None = None
    queue: Code | None = None
    priority: Priority | None = None
    confidence_permille: int | None = None
    signals: tuple[Signal, ...] = ()
    owner: Owner
    turn: int = Field(ge=0)


class OrderInput(TextModel):
    """The order in question."""

    status: OrderStatus
    owner_is_requester: bool
    delivered: bool
    total: Money
    refundable: Money


class PolicyInput(TextModel):
    """The whole document a decision is made from, stored with it, so it can be decided again.

    Version 1 lacked everything from `at` on; the library decides both, and a rule that asks for what is not
    there denies.
    """

    schema_version: Literal[1, 2] = 2
    tenant_id: UUID
    ticket_id: UUID
    mode: Mode
    channel: Channel
    at: AwareDatetime | None = None  # when it is decided, to the minute
    purpose: Purpose | None = None
    identity: IdentityInput | None = None
    consent: ConsentInput | None = None
    residency: ResidencyInput | None = None
    counters: dict[Code, CounterInput] = Field(default_factory=dict)
    facts: dict[Code, Value] = Field(default_factory=dict)
    action: ActionInput
    agent: AgentInput = AgentInput()
    ticket: TicketInput
    requester_known: bool = False
    order: OrderInput | None = None


class Reason(Model):
    """Which rule spoke and with which code."""

    rule: Code
    code: Code


class Rung(Model):
    """Who may answer too, once nobody has answered for so long."""

    after_s: int = Field(ge=1, le=LONGEST_EXPIRY_S)
    approver_groups: tuple[Code, ...] = Field(min_length=1)


class Obligations(Model):
    """What must happen for the verdict to hold."""

    approver_groups: tuple[Code, ...] = ()
    quorum: int = Field(default=1, ge=1)
    expires_in_s: int = Field(default=24 * 3600, ge=1, le=LONGEST_EXPIRY_S)
    on_timeout: OnTimeout = OnTimeout.HAND_OVER
    forbid_self: bool = True
    redact_fields: tuple[Code, ...] = ()
    remind_every_s: int | None = Field(default=None, ge=60, le=LONGEST_EXPIRY_S)
    ladder: tuple[Rung, ...] | None = None

    @property
    def every_group(self) -> tuple[Code, ...]:
        """All who may answer sooner or later."""
        later = (group for rung in self.ladder or () for group in rung.approver_groups)
        return tuple(dict.fromkeys((*self.approver_groups, *later)))


# The code with which every engine says that it has none of its own answers.
ENGINE_FAILED: Code = "engine_failed"


class EngineAnswer(TextModel):
    """What a policy engine returns; messages are for people and stay out of history."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    messages: tuple[str, ...] = ()
    obligations: Obligations | None = None
    rules_considered: int = Field(default=0, ge=0)  # whose actions include this one

    @property
    def engine_failed(self) -> bool:
        """A denial that is no policy's."""
        return any(reason.code == ENGINE_FAILED for reason in self.reasons)


class PolicyDecision(Model):
    """A recorded decision about one proposed action."""

    decision_id: DecisionId
    action: ActionType | None = None  # what it is about
    verdict: Verdict
    reasons: tuple[Reason, ...]
    obligations: Obligations | None = None
    policy_version: Digest
    action_digest: Digest
    input_digest: Digest


def decision_id(ticket_id: UUID, turn: int, ordinal: int, input_: Digest, bundle: Digest) -> DecisionId:
    """The same decision has the same id however often it is made."""
    return _id_of(f"{ticket_id}/{turn}/{ordinal}/{input_}/{bundle}")


def at_the_claim(decision: DecisionId, effect: EffectKey) -> DecisionId:
    """The same decision, made as the effect was about to leave."""
    return _id_of(f"{decision}/{effect}")


def _id_of(named: str) -> DecisionId:
    return "dec_" + hashlib.sha256(named.encode()).hexdigest()[:40]
