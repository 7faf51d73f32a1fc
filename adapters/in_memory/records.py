"""Tickets, artifacts, keys and the inbox, kept in dictionaries."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID, uuid5

from domain.decision import EngineAnswer, PolicyDecision, PolicyInput
from domain.errors import ArtifactExpired, KeyDestroyed, UnknownTenant
from domain.handoff import HandoffReason
from domain.model import ArtifactRef, DecisionId, EffectKey
from domain.ports import ArtifactKind, DataKey, Delivery, TenantConfiguration
from domain.ticket import ClosingRecord, Owner, Settlement, Stage, TicketRef


class InMemoryKeys:
    """`Keys` made from names, so that recorded histories can be read again. Never for anything real."""

    def __init__(self) -> None:
        self.destroyed: set[UUID] = set()

    async def tenant_key(self, tenant_id: UUID) -> DataKey:
        """Always the same one."""
        return self._key(tenant_id, "tenant", tenant_id)

    async def tenant_key_by_id(self, tenant_id: UUID, key_id: UUID) -> DataKey:
        """Knows the current one only."""
        key = self._key(tenant_id, "tenant", tenant_id)
        if key.id != key_id:
            raise KeyDestroyed
        return key

    async def ticket_key(self, tenant_id: UUID, ticket_id: UUID) -> DataKey:
        """Made from the ticket's id."""
        return self._key(tenant_id, "ticket", ticket_id)

    async def number_key(self, tenant_id: UUID, ticket_id: UUID) -> DataKey:
        """Made from the ticket's id."""
        return self._key(tenant_id, "number", ticket_id)

    async def delivery_key(self, tenant_id: UUID, delivery_id: UUID) -> DataKey:
        """Made from the delivery's id."""
        return self._key(tenant_id, "delivery", delivery_id)

    async def destroy_delivery_key(self, tenant_id: UUID, delivery_id: UUID) -> None:
        """From here on a tombstone."""
        self.destroyed.add(uuid5(tenant_id, f"delivery/{delivery_id}"))

    def _key(self, tenant_id: UUID, kind: str, owner: UUID) -> DataKey:
        id_ = uuid5(tenant_id, f"{kind}/{owner}")
        if id_ in self.destroyed:
            raise KeyDestroyed
        return DataKey(id=id_, secret=hashlib.sha256(id_.bytes).digest())


class InMemoryTenants:
    """`Tenants` from a list."""

    def __init__(self, *configurations: TenantConfiguration) -> None:
        self.configurations = {one.tenant_id: one for one in configurations}

    async def configuration(self, tenant_id: UUID) -> TenantConfiguration:
        """Raises `UnknownTenant`."""
        if tenant_id not in self.configurations:
            raise UnknownTenant(tenant_id)
        return self.configurations[tenant_id]


class InMemoryDeliveries:
    """`Deliveries` per ticket, in the order they came."""

    def __init__(self) -> None:
        self.waiting: dict[TicketRef, dict[UUID, Delivery]] = {}

    def arrive(self, ticket: TicketRef, delivery: Delivery) -> None:
        """What the door does. A repeated delivery is one."""
        self.waiting.setdefault(ticket, {})[delivery.id] = delivery

    async def unconsumed(self, ticket: TicketRef) -> Sequence[Delivery]:
        """Oldest first."""
        return sorted(self.waiting.get(ticket, {}).values(), key=lambda delivery: delivery.received_at)

    async def consume(self, ticket: TicketRef, deliveries: Sequence[UUID]) -> None:
        """Repeating is safe."""
        for id_ in deliveries:
            self.waiting.get(ticket, {}).pop(id_, None)


class InMemoryTickets:
    """`Tickets`: the projection, and the owner that the ledger's fence looks at."""

    def __init__(self) -> None:
        self.records: dict[TicketRef, ClosingRecord] = {}
        self.stages: dict[TicketRef, Stage] = {}
        self.reasons: dict[TicketRef, list[str]] = {}
        self.answered: dict[TicketRef, dict[str, int]] = {}

    async def open(self, ticket: TicketRef, external_id: str, source: str) -> ClosingRecord:
        """Repeating is safe."""
        del external_id, source
        record = self.records.setdefault(ticket, ClosingRecord())
        restless = True if self.stages.get(ticket) is Stage.FETCHING else None
        return ClosingRecord.model_validate(record.model_dump() | {"restless": restless})

    async def seen_messages(self, ticket: TicketRef) -> frozenset[str]:
        """Messages that had their turn."""
        return frozenset(self.answered.get(ticket, {}))

    async def set_stage(self, ticket: TicketRef, stage: Stage) -> None:
        """The newest wins."""
        self.stages[ticket] = stage

    async def hand_over(self, ticket: TicketRef, reason: HandoffReason) -> int:
        """Raises the epoch only when the owner changes."""
        self.reasons.setdefault(ticket, []).append(reason.value)
        return self.take_over(ticket)

    def take_over(self, ticket: TicketRef) -> int:
        """What a teammate does."""
        record = self.records.get(ticket, ClosingRecord())
        epoch = record.owner_epoch + (record.owner is not Owner.TEAMMATE)
        changed = {"owner": Owner.TEAMMATE, "owner_epoch": epoch}
        self.records[ticket] = ClosingRecord.model_validate(record.model_dump() | changed)
        return epoch

    def hand_back(self, ticket: TicketRef) -> int:
        """What a teammate does who wants automation to go on."""
        record = self.records[ticket]
        changed = {"owner": Owner.AUTOMATION, "owner_epoch": record.owner_epoch + 1}
        self.records[ticket] = ClosingRecord.model_validate(record.model_dump() | changed)
        self.stages[ticket] = Stage.FETCHING
        return record.owner_epoch + 1

    async def settle(self, ticket: TicketRef, settlement: Settlement) -> None:
        """Keeps the owner: only `hand_over` and `take_over` change it."""
        owner, epoch = await self.owner(ticket)
        if epoch <= settlement.record.owner_epoch:
            kept = {"owner": owner, "owner_epoch": epoch}
            self.records[ticket] = ClosingRecord.model_validate(settlement.record.model_dump() | kept)
            self.stages[ticket] = settlement.stage
            self.reasons.setdefault(ticket, []).append(settlement.reason)
        if settlement.message is not None:
            self.answered.setdefault(ticket, {}).setdefault(settlement.message, settlement.record.turns)

    async def owner(self, ticket: TicketRef) -> tuple[Owner, int]:
        """The owner and the epoch."""
        record = self.records.get(ticket, ClosingRecord())
        return record.owner, record.owner_epoch


class InMemoryArtifacts:
    """`Artifacts` in clear."""

    def __init__(self) -> None:
        self.blobs: dict[tuple[TicketRef, ArtifactRef], bytes] = {}

    async def put(
        self, ticket: TicketRef, kind: ArtifactKind, content: bytes, ttl: timedelta | None = None
    ) -> ArtifactRef:
        """Named by a digest keyed with the ticket, as the real ones are. Nothing expires by itself."""
        del ttl
        digest = hmac.new(ticket.ticket_id.bytes, content, hashlib.sha256).hexdigest()
        reference = f"{kind}_{digest}"
        self.blobs[ticket, reference] = content
        return reference

    async def get(self, ticket: TicketRef, ref: ArtifactRef) -> bytes:
        """Raises `ArtifactExpired` for what is not there."""
        if (ticket, ref) not in self.blobs:
            raise ArtifactExpired
        return self.blobs[ticket, ref]


class InMemoryVault:
    """`Vault` in clear."""

    def __init__(self) -> None:
        self.entries: dict[TicketRef, dict[str, str]] = {}

    async def keep(self, ticket: TicketRef, values: Mapping[str, str]) -> None:
        """An existing entry keeps its value."""
        kept = self.entries.setdefault(ticket, {})
        for name, value in values.items():
            kept.setdefault(name, value)

    async def values(self, ticket: TicketRef) -> Mapping[str, str]:
        """A copy."""
        return dict(self.entries.get(ticket, {}))


class InMemoryDecisions:
    """`Decisions`: the log, in the order things were decided."""

    def __init__(self) -> None:
        self.made: dict[DecisionId, tuple[PolicyDecision, PolicyInput, EngineAnswer]] = {}
        self.at_the_claim: dict[DecisionId, EffectKey] = {}  # of which effect, that was about to leave

    async def record(
        self,
        made: Sequence[tuple[PolicyDecision, PolicyInput, EngineAnswer]],
        latency_us: int,
        effect: EffectKey | None = None,
    ) -> None:
        """On conflict nothing."""
        del latency_us
        for decision, input_, answer in made:
            self.made.setdefault(decision.decision_id, (decision, input_, answer))
            if effect is not None:
                self.at_the_claim[decision.decision_id] = effect

    async def decided(
        self, ticket: TicketRef, decision_id: DecisionId
    ) -> tuple[PolicyDecision, PolicyInput] | None:
        """A decision about the ticket."""
        decision, input_, _ = self.made.get(decision_id, (None, None, None))
        if decision is None or input_ is None or input_.ticket_id != ticket.ticket_id:
            return None
        return decision, input_

    def of_plans(self) -> list[PolicyDecision]:
        """Those about plans, in the order they were made."""
        return [made[0] for id_, made in self.made.items() if id_ not in self.at_the_claim]
