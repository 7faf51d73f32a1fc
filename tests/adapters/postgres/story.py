"""A decided, perhaps approved refund of one ticket, as the workflow would have made it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any
from uuid import uuid4

from adapters.keys import EnvelopeKeys
from adapters.postgres.approvals import PostgresApprovals
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.tenant_registry import PrincipalEntry, TenantRegistry
from adapters.postgres.tickets import PostgresTickets
from domain.action import ActionType, ProposedAction, Refund, RiskBand
from domain.approval import (
    ApprovalRequest,
    ApprovalStatus,
    Eligibility,
    Vote,
    VoteKind,
    approval_id,
)
from domain.decision import (
    ActionInput,
    Channel,
    EngineAnswer,
    Obligations,
    PolicyDecision,
    PolicyInput,
    Reason,
    TicketInput,
    Verdict,
    at_the_claim,
    decision_id,
)
from domain.effect import Clearance, EffectIntent, LedgerRow, Refusal, effect_key
from domain.fact import Money
from domain.model import RecordId, digest_of
from domain.ticket import Mode, Owner, TicketRef
from tests.conftest import Databases

MESSAGE = "msg_" + "a" * 32
POLICY = "sha256:" + "b" * 64
CARD = "card_" + "c" * 64
GROUP = "approvers"


def now() -> datetime:
    return datetime.fromtimestamp(time(), UTC)


def a_refund(minor_units: int = 1999, ordinal: int = 0) -> ProposedAction:
    refund = Refund(
        order="order_" + "1" * 24,
        payment="payment_" + "2" * 24,
        amount=Money(minor_units=minor_units, currency="EUR"),
        playbook="damaged_item",
    )
    return ProposedAction(ordinal=ordinal, action=refund)


async def cleared(databases: Databases, intent: EffectIntent, **changes: Any) -> Clearance:
    """What the gate would find: the plan's decision once more, about this very effect, unless changed."""
    log = PostgresDecisions(databases.app)
    planned = await log.decided(intent.ticket, intent.decision_id)
    if planned is None:
        return Clearance(intent.decision_id)
    decision, input_ = planned
    again = PolicyDecision.model_validate(
        decision.model_dump()
        | {"decision_id": at_the_claim(decision.decision_id, intent.key), "action_digest": intent.digest}
        | changes
    )
    answer = EngineAnswer(verdict=again.verdict, reasons=again.reasons)
    await log.record([(again, input_, answer)], latency_us=300, effect=intent.key)
    return Clearance(again.decision_id)


async def claim(databases: Databases, intent: EffectIntent) -> LedgerRow:
    """As the step does: the gate, then the claim."""
    ledger = PostgresLedger(databases.app, databases.egress)
    return await ledger.claim(intent, await cleared(databases, intent))


@dataclass
class Story:
    """What is needed to bring a refund of one ticket to its claim."""

    databases: Databases
    registry: TenantRegistry
    keys: EnvelopeKeys
    ticket: TicketRef

    def __post_init__(self) -> None:
        self.tickets = PostgresTickets(self.databases.app, self.keys)
        self.decisions = PostgresDecisions(self.databases.app)
        self.approvals = PostgresApprovals(self.databases.app)
        self.ledger = PostgresLedger(self.databases.app, self.databases.egress)

    async def decided(
        self, verdict: Verdict = Verdict.ALLOW, proposed: ProposedAction | None = None, turn: int = 0
    ) -> PolicyDecision:
        proposed = proposed or a_refund()
        input_ = self.policy_input(proposed, turn)
        decision = PolicyDecision(
            decision_id=decision_id(self.ticket.ticket_id, turn, proposed.ordinal, digest_of(input_), POLICY),
            verdict=verdict,
            reasons=(Reason(rule="refund_limits", code="within_limit"),),
            obligations=Obligations(approver_groups=(GROUP,)),
            policy_version=POLICY,
            action_digest=proposed.digest,
            input_digest=digest_of(input_),
        )
        answer = EngineAnswer(verdict=verdict, reasons=decision.reasons, messages=("Within the limit",))
        await self.decisions.record([(decision, input_, answer)], latency_us=300)
        return decision

    def policy_input(self, proposed: ProposedAction, turn: int = 0) -> PolicyInput:
        return PolicyInput(
            tenant_id=self.ticket.tenant_id,
            ticket_id=self.ticket.ticket_id,
            mode=Mode.AUTOMATE,
            channel=Channel.INTERNAL,
            action=ActionInput(type=ActionType.REFUND, band=RiskBand.HIGH, digest=proposed.digest),
            ticket=TicketInput(owner=Owner.AUTOMATION, turn=turn),
        )

    async def intended(
        self,
        decision: PolicyDecision,
        proposed: ProposedAction | None = None,
        approval: str | None = None,
        target: str = "payment",
        owner_epoch: int = 0,
    ) -> EffectIntent:
        proposed = proposed or a_refund()
        intent = EffectIntent(
            key=effect_key(self.ticket.ticket_id, MESSAGE, ActionType.REFUND, target, proposed.ordinal),
            ticket=self.ticket,
            proposed=proposed,
            decision_id=decision.decision_id,
            approval_id=approval,
            owner_epoch=owner_epoch,
            turn=0,
        )
        await self.tickets.open(self.ticket, "1001", "generic")
        await self.ledger.intend(intent)
        return intent

    async def allowed(self) -> EffectIntent:
        return await self.intended(await self.decided())

    async def claim(self, intent: EffectIntent) -> LedgerRow:
        return await claim(self.databases, intent)

    async def recheck(self, intent: EffectIntent, *, sends: bool) -> Refusal | None:
        return await self.ledger.recheck(intent, await cleared(self.databases, intent), sends=sends)

    async def approver(self, *groups: str) -> RecordId:
        entry = PrincipalEntry(
            name="Ada", slack_team_id="T1", slack_user_id=f"U{uuid4().hex[:8]}", groups=groups or (GROUP,)
        )
        return await self.registry.put_principal(self.ticket.tenant_id, entry)

    async def asked(
        self,
        decision: PolicyDecision,
        proposed: ProposedAction | None = None,
        expires_in: timedelta = timedelta(hours=1),
    ) -> ApprovalRequest:
        proposed = proposed or a_refund()
        request = ApprovalRequest(
            approval_id=approval_id(self.ticket.ticket_id, MESSAGE, proposed.digest),
            ticket=self.ticket,
            turn=0,
            message=MESSAGE,
            owner_epoch=0,
            proposed=proposed,
            decision=decision,
            obligations=decision.obligations or Obligations(),
            card=CARD,
        )
        await self.approvals.request(request, now() + expires_in)
        return request

    async def voted(self, request: ApprovalRequest, principal: RecordId) -> None:
        vote = Vote(
            approval_id=request.approval_id,
            revision=1,
            digest=request.proposed.digest,
            kind=VoteKind.APPROVE,
            eligibility=Eligibility(principal=principal, groups=(GROUP,), as_of=now()),
        )
        await self.approvals.record_vote(vote, self.ticket)

    async def approved(
        self, decision: PolicyDecision, expires_in: timedelta = timedelta(hours=1)
    ) -> ApprovalRequest:
        request = await self.asked(decision, expires_in=expires_in)
        await self.voted(request, await self.approver())
        await self.approvals.close(self.ticket, request.approval_id, ApprovalStatus.APPROVED)
        return request
