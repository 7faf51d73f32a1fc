"""A support office of fakes: one tenant, its helpdesk, shop, knowledge and everything that takes effects."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from activities.approvals import ApprovalActivities
from activities.drafting import DraftingActivities
from activities.effects import EffectActivities
from activities.facts import FactActivities
from activities.gate import Gate
from activities.handoff import HandoffActivities
from activities.intake import IntakeActivities
from activities.learning import LearningActivities
from activities.policy import PolicyActivities
from activities.registration import steps_of
from activities.retrieval import RetrievalActivities
from activities.settlement import SettlementActivities
from activities.triage import TriageActivities
from adapters.in_memory import (
    InMemoryApprovals,
    InMemoryArtifacts,
    InMemoryClassifier,
    InMemoryDecisions,
    InMemoryDeliveries,
    InMemoryDrafter,
    InMemoryHelpdesk,
    InMemoryKeys,
    InMemoryKnowledge,
    InMemoryLabelledEdits,
    InMemoryLedger,
    InMemoryPolicies,
    InMemoryRedactor,
    InMemorySender,
    InMemoryShop,
    InMemoryTenants,
    InMemoryTickets,
    InMemoryVault,
    InMemoryWhatLeft,
)
from domain.action import ActionType
from domain.conversation import Author, Conversation, Message, Requester
from domain.effect import SendOrder
from domain.fact import Money, OrderRecord, OrderStatus
from domain.knowledge import Citation, KnowledgeZone, Passage
from domain.playbook import RefundPlaybook, Requirement
from domain.ports import Delivery, TenantConfiguration
from domain.ticket import Mode, TenantSettings, TicketRef
from domain.triage import Intent, Taxonomy

TENANT = UUID("5b0e6e0c-6a0e-4f53-9a54-0d6a6f5f0a01")
TICKET = TicketRef(tenant_id=TENANT, route="a" * 32)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EMAIL = "ada@customers.example"
NAME = "Ada Novak"

TAXONOMY = Taxonomy(
    intents=(
        Intent(intent="refund_request", queue="billing", examples=("refund", "money back")),
        Intent(intent="opening_hours", queue="general", examples=("opening", "closed")),
    )
)
PLAYBOOK = RefundPlaybook(
    id="refund_delivered_order",
    intent="refund_request",
    requires=(
        Requirement.REQUESTER_KNOWN,
        Requirement.ORDER_OWNER_IS_REQUESTER,
        Requirement.ORDER_REFUNDABLE,
    ),
    reply="We have paid back {amount}.",
)


class WatchedSender(InMemorySender):
    """Lets a test wait for what the outside sees."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._news = asyncio.Condition()
        self.entered = asyncio.Event()
        self.gate: asyncio.Event | None = None  # what is sent waits for it

    async def send(self, order: SendOrder) -> Any:
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        receipt = await super().send(order)
        async with self._news:
            self._news.notify_all()
        return receipt

    async def wait_for(self, type_: ActionType, count: int = 1) -> SendOrder:
        async with self._news:
            await self._news.wait_for(lambda: len(self.sent(type_)) >= count)
        return self.sent(type_)[count - 1]


def order(number: str, minor_units: int, **changes: Any) -> OrderRecord:
    return OrderRecord.model_validate(
        {
            "number": number,
            "customer_email": EMAIL,
            "status": OrderStatus.DELIVERED,
            "total": Money(minor_units=minor_units, currency="EUR"),
            "refunded": Money(minor_units=0, currency="EUR"),
            "payment_id": f"pay-{number}",
            "ordered_at": NOW - timedelta(days=9),
            "delivered_at": NOW - timedelta(days=3),
        }
        | changes
    )


def passage(body: str, zone: KnowledgeZone = KnowledgeZone.PUBLIC) -> Passage:
    citation = Citation(passage_id=uuid5(TENANT, body), version=1, zone=zone, score_permille=900)
    return Passage(citation=citation, title="Shop", body=body)


class Office:
    """Everything one test needs; each has its own."""

    def __init__(self, mode: Mode = Mode.AUTOMATE, window_s: int = 0, **settings: Any) -> None:
        self.now = NOW
        chosen = TenantSettings(mode=mode, recontact_window_s=window_s, **settings)
        self.tenants = InMemoryTenants(
            TenantConfiguration(
                tenant_id=TENANT,
                name="harbour_books",
                settings=chosen,
                taxonomy=TAXONOMY,
                playbooks=(PLAYBOOK,),
            )
        )
        self.keys = InMemoryKeys()
        self.deliveries = InMemoryDeliveries()
        self.tickets = InMemoryTickets()
        self.artifacts = InMemoryArtifacts()
        self.vault = InMemoryVault()
        self.decisions = InMemoryDecisions()
        self.approvals = InMemoryApprovals()
        self.helpdesk = InMemoryHelpdesk()
        self.redactor = InMemoryRedactor()
        self.classifier = InMemoryClassifier()
        self.drafter = InMemoryDrafter()
        self.knowledge = InMemoryKnowledge(passage("The opening hours are nine to five."))
        self.edits = InMemoryLabelledEdits()
        self.policies = InMemoryPolicies()
        self.shop = InMemoryShop(order("HB-1001", 30_00), order("HB-1002", 120_00), order("HB-1003", 900_00))
        self.sender = WatchedSender(now=NOW, helpdesk=self.helpdesk)
        self.ledger = InMemoryLedger(
            tickets=self.tickets,
            tenants=self.tenants,
            decisions=self.decisions,
            approvals=self.approvals,
            now=NOW,
        )

    def write(
        self, body: str, author: Author = Author.CUSTOMER, *, public: bool = True, automatic: bool = False
    ) -> Delivery:
        """Somebody writes in the helpdesk, which tells the door."""
        if "1001" not in self.helpdesk.tickets:
            self.helpdesk.tickets["1001"] = Conversation(
                source="generic",
                external_id="1001",
                subject="A question",
                status="open",
                requester=Requester(external_id="c1", name=NAME, email=EMAIL),
                messages=(),
            )
        number = len(self.helpdesk.tickets["1001"].messages) + 1
        message = Message(
            external_id=f"m{number}",
            author=author,
            body=body,
            public=public,
            written_at=self.now,
            automatic=automatic,
        )
        self.helpdesk.add("1001", message)
        return self.deliver(f"d{number}")

    def mark(self, **changes: bool) -> None:
        """The helpdesk's people mark the ticket as merged or as spam."""
        ticket = self.helpdesk.tickets["1001"]
        self.helpdesk.tickets["1001"] = ticket.model_copy(update=changes)

    def deliver(self, name: str) -> Delivery:
        """A row in the inbox; the same name is the same row."""
        delivery = Delivery(
            id=uuid5(TENANT, name), source="generic", external_ticket_id="1001", received_at=self.now
        )
        self.deliveries.arrive(TICKET, delivery)
        return delivery

    def clock(self) -> datetime:
        return self.now

    def steps(self) -> list[Callable[..., Any]]:
        return steps_of(*self.instances())

    def instances(self) -> tuple[object, ...]:
        tickets, artifacts, vault = self.tickets, self.artifacts, self.vault
        return (
            self.intake(),
            TriageActivities(tenants=self.tenants, artifacts=artifacts, classifier=self.classifier),
            FactActivities(
                keys=self.keys, artifacts=artifacts, vault=vault, shop=self.shop, clock=self.clock
            ),
            RetrievalActivities(artifacts=artifacts, knowledge=self.knowledge),
            DraftingActivities(tenants=self.tenants, artifacts=artifacts, drafter=self.drafter),
            self.policy(),
            ApprovalActivities(approvals=self.approvals, artifacts=artifacts, vault=vault, tickets=tickets),
            self.effects(),
            HandoffActivities(tickets=tickets, artifacts=artifacts, vault=self.vault),
            SettlementActivities(tickets=tickets),
            LearningActivities(artifacts=artifacts, vault=vault, redactor=self.redactor, edits=self.edits),
        )

    def policy(self) -> PolicyActivities:
        return PolicyActivities(
            policies=self.policies,
            decisions=self.decisions,
            what_left=InMemoryWhatLeft(self.ledger),
            clock=self.clock,
        )

    def intake(self) -> IntakeActivities:
        return IntakeActivities(
            tenants=self.tenants,
            deliveries=self.deliveries,
            tickets=self.tickets,
            helpdesk=self.helpdesk,
            keys=self.keys,
            artifacts=self.artifacts,
            vault=self.vault,
            redactor=self.redactor,
            clock=self.clock,
        )

    def effects(self) -> EffectActivities:
        return EffectActivities(
            ledger=self.ledger,
            artifacts=self.artifacts,
            vault=self.vault,
            gate=self.gate(),
            senders=(self.sender,),
            clock=self.clock,
        )

    def gate(self) -> Gate:
        return Gate(
            policies=self.policies,
            decisions=self.decisions,
            what_left=InMemoryWhatLeft(self.ledger),
            shop=self.shop,
            clock=self.clock,
        )

    def replies(self) -> list[str]:
        return [sent.text for sent in self.sender.sent(ActionType.REPLY)]

    def notes(self) -> list[str]:
        return [sent.text for sent in self.sender.sent(ActionType.PRIVATE_NOTE)]
