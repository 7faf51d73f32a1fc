"""Ports: what the steps need from outside. Adapters fulfil them, `adapters/in_memory.py` in unit tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from domain.action import ActionType
from domain.approval import ApprovalRequest, ApprovalStatus, Vote, VoteRefusal
from domain.audit import PerformedEffect
from domain.conversation import Conversation, TextModel
from domain.counting import Counter, Own, Window
from domain.decision import CounterInput, EngineAnswer, PolicyDecision, PolicyInput
from domain.draft import DraftedText
from domain.effect import Clearance, EffectIntent, EffectState, LedgerRow, Receipt, Refusal, SendOrder
from domain.fact import OrderRecord
from domain.handoff import HandoffReason
from domain.knowledge import KnowledgeZone, Passage, RetrievalBackend
from domain.learning import LabelledEdit, LeftDraft
from domain.model import ApprovalId, ArtifactRef, DecisionId, Digest, EffectKey, RecordId, Version
from domain.ownership import OwnerChange
from domain.playbook import RefundPlaybook
from domain.ticket import ClosingRecord, Owner, Settlement, Stage, TenantSettings, TicketRef
from domain.triage import Taxonomy, Triage

# --- keys -------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class DataKey:
    """An unwrapped 32-byte AES key. Never printed, never leaves memory."""

    id: UUID
    secret: bytes


class Keys(Protocol):
    """The key store. Raises `KeyDestroyed` for a tombstone and `KeyStoreUnavailable` when it cannot know."""

    async def tenant_key(self, tenant_id: UUID) -> DataKey:
        """The tenant's current key (payload codec, connection secrets)."""
        ...

    async def tenant_key_by_id(self, tenant_id: UUID, key_id: UUID) -> DataKey:
        """An earlier or the current tenant key, for decoding."""
        ...

    async def ticket_key(self, tenant_id: UUID, ticket_id: UUID) -> DataKey:
        """The ticket's key, created at first use, never re-created once destroyed."""
        ...

    async def number_key(self, tenant_id: UUID, ticket_id: UUID) -> DataKey:
        """The key of the ticket's number on pages; created and destroyed like the ticket's own."""
        ...

    async def delivery_key(self, tenant_id: UUID, delivery_id: UUID) -> DataKey:
        """The one-time key of an inbox body."""
        ...

    async def destroy_delivery_key(self, tenant_id: UUID, delivery_id: UUID) -> None:
        """Leaves a tombstone. Repeating is safe."""
        ...


# --- intake -----------------------------------------------------------------------------------


class Delivery(TextModel):
    """An inbox row with its body opened."""

    id: UUID
    source: str
    external_ticket_id: str
    received_at: datetime


ACKNOWLEDGEMENT = "Thank you for your message. A colleague is looking into it and will get back to you."


class TenantConfiguration(TextModel):
    """A tenant's settings, taxonomy and playbooks, cached by version."""

    tenant_id: UUID
    name: str
    settings: TenantSettings
    taxonomy: Taxonomy
    playbooks: tuple[RefundPlaybook, ...] = ()
    greeting: str = "Hello {name},"
    signature: str = "Kind regards"
    acknowledgement: str = ACKNOWLEDGEMENT


class Tenants(Protocol):
    """Tenant configuration."""

    async def configuration(self, tenant_id: UUID) -> TenantConfiguration:
        """Raises `UnknownTenant`."""
        ...


class Deliveries(Protocol):
    """The worker's side of the inbox."""

    async def unconsumed(self, ticket: TicketRef) -> Sequence[Delivery]:
        """Every delivery of the route not yet consumed, oldest first, opened with its delivery key."""
        ...

    async def consume(self, ticket: TicketRef, deliveries: Sequence[UUID]) -> None:
        """Marks them consumed and destroys their keys. Repeating is safe."""
        ...


class Tickets(Protocol):
    """The projection that lists come from; truth is the workflow."""

    async def open(self, ticket: TicketRef, external_id: str, source: str) -> ClosingRecord:
        """Creates the row if it is new and returns what the last run left. Repeating is safe."""
        ...

    async def seen_messages(self, ticket: TicketRef) -> frozenset[str]:
        """Keys of the customer messages that earlier turns answered."""
        ...

    async def set_stage(self, ticket: TicketRef, stage: Stage) -> None:
        """For operators' lists."""
        ...

    async def hand_over(self, ticket: TicketRef, reason: HandoffReason) -> int:
        """Owner becomes the teammates (exclusive lock on the ticket); returns the new owner epoch."""
        ...

    async def settle(self, ticket: TicketRef, settlement: Settlement) -> None:
        """Writes the outcome, the stage and that the message had its turn: all or nothing, safe to repeat."""
        ...

    async def owner(self, ticket: TicketRef) -> tuple[Owner, int]:
        """The owner and the epoch."""
        ...


class Helpdesk(Protocol):
    """Reads a tenant's helpdesk. Raises `TicketNotFound`, `ProviderUnavailable`, `DeliveryRefused`."""

    async def read(self, tenant_id: UUID, external_id: str) -> Conversation:
        """The ticket as it is now; our own messages have `Author.AUTOMATION`."""
        ...


# --- artifacts, vault, redaction ---------------------------------------------------------------


class ArtifactKind(StrEnum):
    """What an artifact is; part of its reference."""

    RAW = "raw"
    CONVERSATION = "conversation"
    PASSAGES = "passages"
    FACTS = "facts"
    DRAFT = "draft"
    CARD = "card"
    REASON = "reason"
    BUNDLE = "bundle"
    HISTORY = "history"
    EDIT = "edit"  # a teammate's words in place of a draft, redacted


class Artifacts(Protocol):
    """Encrypted blobs addressed by a digest keyed with the ticket key."""

    async def put(
        self, ticket: TicketRef, kind: ArtifactKind, content: bytes, ttl: timedelta | None = None
    ) -> ArtifactRef:
        """Stores and names; the same content of a ticket has the same name."""
        ...

    async def get(self, ticket: TicketRef, ref: ArtifactRef) -> bytes:
        """Raises `KeyDestroyed` after erasure and `ArtifactExpired` after its life."""
        ...


class Vault(Protocol):
    """Placeholder or record id ↔ real value, per ticket, encrypted."""

    async def keep(self, ticket: TicketRef, values: Mapping[str, str]) -> None:
        """Adds entries; an existing placeholder keeps its value."""
        ...

    async def values(self, ticket: TicketRef) -> Mapping[str, str]:
        """Everything kept for the ticket."""
        ...


class Redacted(TextModel):
    """A redacted conversation, what was taken out of it and by which recognisers."""

    conversation: Conversation
    values: Mapping[str, str]  # new and known placeholders → values
    counts: Mapping[str, int]  # placeholder kind → how many spans
    recognizers: Digest


class Redactor(Protocol):
    """Takes personal data out. Fails closed: raises `RedactionFailed`, `ChildDied` or `ChildOverran`."""

    async def redact(self, conversation: Conversation, known: Mapping[str, str]) -> Redacted:
        """`known` are the ticket's vault entries, so that a value keeps its placeholder over turns."""
        ...

    async def redact_text(self, text: str, known: Mapping[str, str]) -> str:
        """For what teammates type: irreversible, placeholders have no vault entries.

        `known` are the ticket's vault entries, because teammates name the people of the ticket.
        """
        ...


class Classifier(Protocol):
    """Says what the latest customer message of a redacted conversation is about."""

    async def classify(self, conversation: Conversation, taxonomy: Taxonomy) -> Triage:
        """Never raises for strange text; says `fallback` with low confidence."""
        ...


# --- facts ------------------------------------------------------------------------------------


class Shop(Protocol):
    """Reads a tenant's shop. Raises `ProviderUnavailable`."""

    async def orders_of(self, tenant_id: UUID, email: str) -> Sequence[OrderRecord]:
        """Orders of the account with this e-mail; empty where there is none."""
        ...

    async def order(self, tenant_id: UUID, number: str) -> OrderRecord | None:
        """One order by number, whoever owns it."""
        ...

    async def account(self, tenant_id: UUID, email: str) -> str | None:
        """The shop's own id of the account with this e-mail; None where there is none, or not exactly one."""
        ...


# --- knowledge and drafting --------------------------------------------------------------------


class Knowledge(Protocol):
    """Searches a tenant's articles."""

    async def search(
        self, tenant_id: UUID, query: str, zones: frozenset[KnowledgeZone], limit: int
    ) -> Sequence[Passage]:
        """Best first; empty is an answer."""
        ...

    @property
    def backend(self) -> RetrievalBackend:
        """Which search answers."""
        ...


class Drafter(Protocol):
    """Writes a reply from passages, or says that it cannot."""

    version: Version
    prompt: Digest

    async def draft(
        self, conversation: Conversation, passages: Sequence[Passage], tenant: TenantConfiguration
    ) -> DraftedText | None:
        """None where the passages do not answer the customer."""
        ...


# --- policy -----------------------------------------------------------------------------------


class Counted(Protocol):
    """What a compiled policy asks to be counted."""

    def counters_of(self, action: str) -> Sequence[Counter]:
        """Those of one action."""
        ...


@runtime_checkable
class CountingEngine(Protocol):
    """An engine whose policy says what must be counted; of another one nothing is counted."""

    @property
    def policy(self) -> Counted:
        """The compiled policy."""
        ...


class WhatLeft(Protocol):
    """Counts effects in the ledger that left, may have left or are about to."""

    async def counted(
        self, tenant_id: UUID, windows: Sequence[Window], own: Own
    ) -> Mapping[Window, CounterInput]:
        """Every window, at one moment, without those that are being decided about."""
        ...


class PolicyEngine(Protocol):
    """Evaluates one bundle. Any failure is an answer: deny."""

    version: Digest

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        """Never raises."""
        ...


@runtime_checkable
class RemotePolicyEngine(PolicyEngine, Protocol):
    """An engine in another process. Its `decide` cannot wait for an answer, so it denies."""

    async def decide_plan(self, inputs: Sequence[PolicyInput]) -> Sequence[EngineAnswer]:
        """One answer per input, within one second together. Never raises."""
        ...


class Policies(Protocol):
    """The policies of a tenant and an agent: organisation, tenant and agent together."""

    async def active(self, tenant_id: UUID, agent: str = "support_agent") -> PolicyEngine:
        """The engine with the newest good policy; engines live on the event loop's thread only.

        Where there is none, the engine denies.
        """
        ...

    async def newest(self, tenant_id: UUID, agent: str = "support_agent") -> PolicyEngine:
        """For what is about to leave: never an earlier one. Raises `BundleRefused`, and as the store does."""
        ...

    async def candidate(self, tenant_id: UUID, agent: str = "support_agent") -> PolicyEngine | None:
        """What is tried beside it; None where nothing is. Never raises and decides nothing."""
        ...


class Decisions(Protocol):
    """The decision log."""

    async def record(
        self,
        made: Sequence[tuple[PolicyDecision, PolicyInput, EngineAnswer]],
        latency_us: int,
        effect: EffectKey | None = None,
    ) -> None:
        """Inserts on conflict do nothing, all in one transaction. `effect`: as that was about to leave."""
        ...

    async def decided(
        self, ticket: TicketRef, decision_id: DecisionId
    ) -> tuple[PolicyDecision, PolicyInput] | None:
        """A decision about the ticket with its complete input; None where there is none."""
        ...


# --- approvals --------------------------------------------------------------------------------


class Approvals(Protocol):
    """Durable approval records: what was asked, votes, refused clicks."""

    async def request(self, request: ApprovalRequest, expires_at: datetime) -> None:
        """Repeating is safe. Raises `ApprovalEnded` where the same question has ended before."""
        ...

    async def record_vote(self, vote: Vote, ticket: TicketRef) -> None:
        """Repeating is safe."""
        ...

    async def close(self, ticket: TicketRef, approval_id: ApprovalId, status: ApprovalStatus) -> None:
        """`approved` seals it: bound to its digest, to be consumed once by a claim. Repeating is safe."""
        ...

    async def record_refusal(
        self, tenant_id: UUID, approval_id: ApprovalId, principal: RecordId, why: VoteRefusal
    ) -> None:
        """A refused click leaves no history, so it is kept here."""
        ...


# --- effects ----------------------------------------------------------------------------------


class Ledger(Protocol):
    """The effects ledger and its fence."""

    async def intend(self, intent: EffectIntent) -> LedgerRow:
        """Inserts as `app` unless it is there. Raises `EffectConflict` on another digest."""
        ...

    async def claim(self, intent: EffectIntent, clearance: Clearance) -> LedgerRow:
        """As `egress`, in one READ COMMITTED transaction: locks, then all checks, then the mark.

        Returns the row as claimed, or withdrawn with the refusal, or untouched with `counters_moved`.
        An approval is consumed here.
        """
        ...

    async def recheck(self, intent: EffectIntent, clearance: Clearance, *, sends: bool) -> Refusal | None:
        """The claim's checks again, before a claimed effect is sent a second time.

        With `sends` the row remembers that a request may leave now.
        """
        ...

    async def record(
        self,
        intent: EffectIntent,
        state: EffectState,
        receipt: Receipt | None = None,
        refusal: Refusal | None = None,
    ) -> LedgerRow:
        """Moves a row along one arrow."""
        ...

    async def receipt(self, ticket: TicketRef, key: EffectKey) -> Receipt | None:
        """What an earlier effect's provider answered."""
        ...


class Sender(Protocol):
    """Lets effects of some types out. Reached from `activities/effects.py` only.

    Raises `DeliveryRefused` (did not and will not happen), `ProviderUnavailable` (did not happen)
    and `DeliveryUncertain` (may have happened).
    """

    action_types: frozenset[ActionType]
    idempotent: bool  # the provider honours the idempotency key for at least a day
    settle_time: timedelta  # after this, what `find` does not see did not happen

    async def send(self, order: SendOrder) -> Receipt:
        """One outward change under the idempotency key `order.key`."""
        ...

    async def find(self, order: SendOrder) -> Receipt | None:
        """Reads back whether the effect with this key is there."""
        ...


# --- ownership --------------------------------------------------------------------------------


class Ownership(Protocol):
    """Who speaks on a ticket, changed in one transaction each: authorise, lock out claims, raise the epoch.

    All changes raise `OwnershipRefused`. From their commit no effect of an earlier epoch is claimed.
    """

    async def take_over(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """The ticket is theirs, also if somebody else held it or nobody has worked on it yet."""
        ...

    async def hand_back(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """The ticket is automation's again."""
        ...

    async def stop(self, ticket: TicketRef, principal: RecordId) -> OwnerChange:
        """The ticket is theirs and abandoned by automation."""
        ...

    async def standing(self, ticket: TicketRef, keys: Sequence[EffectKey]) -> Sequence[PerformedEffect]:
        """How these effects of the ticket stand now."""
        ...


# --- learning ---------------------------------------------------------------------------------


class LabelledEdits(Protocol):
    """What teammates made of our drafts."""

    async def left(self, ticket: TicketRef) -> LeftDraft | None:
        """The newest draft that was left for a teammate; None where there is none."""
        ...

    async def record(self, ticket: TicketRef, edit: LabelledEdit) -> bool:
        """Once per message, whose first edit stays; whether it was new. Repeating is safe."""
        ...
