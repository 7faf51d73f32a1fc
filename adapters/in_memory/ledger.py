"""The effects ledger and approvals with the real fence's checks, in dictionaries."""

from datetime import datetime
from uuid import UUID

from adapters.in_memory.records import InMemoryDecisions, InMemoryTenants, InMemoryTickets
from domain.approval import ApprovalRequest, ApprovalStatus, Vote, VoteRefusal
from domain.conversation import TextModel
from domain.decision import PolicyDecision, Verdict
from domain.effect import (
    EFFECT_ARROWS,
    Clearance,
    EffectIntent,
    EffectState,
    LedgerRow,
    Receipt,
    Refusal,
)
from domain.errors import ApprovalEnded, EffectConflict
from domain.model import ApprovalId, EffectKey, RecordId
from domain.ticket import Mode, TicketRef


class KeptApproval(TextModel):
    """An approval as it is kept."""

    request: ApprovalRequest
    expires_at: datetime
    status: ApprovalStatus = ApprovalStatus.PENDING
    votes: tuple[Vote, ...] = ()
    used: bool = False


class InMemoryApprovals:
    """`Approvals` by id."""

    def __init__(self) -> None:
        self.kept: dict[ApprovalId, KeptApproval] = {}
        self.refusals: list[tuple[ApprovalId, RecordId, VoteRefusal]] = []

    async def request(self, request: ApprovalRequest, expires_at: datetime) -> None:
        """Repeating is safe. Raises `ApprovalEnded` where the same question has ended before."""
        asked = KeptApproval(request=request, expires_at=expires_at)
        if self.kept.setdefault(request.approval_id, asked).status is not ApprovalStatus.PENDING:
            raise ApprovalEnded(request.approval_id)

    async def record_vote(self, vote: Vote, ticket: TicketRef) -> None:
        """Repeating is safe."""
        del ticket
        kept = self.kept[vote.approval_id]
        if vote not in kept.votes:
            self._change(vote.approval_id, votes=(*kept.votes, vote))

    async def close(self, ticket: TicketRef, approval_id: ApprovalId, status: ApprovalStatus) -> None:
        """Repeating is safe; one that was never asked stays unknown."""
        del ticket
        if approval_id in self.kept:
            self._change(approval_id, status=status)

    async def record_refusal(
        self, tenant_id: UUID, approval_id: ApprovalId, principal: RecordId, why: VoteRefusal
    ) -> None:
        """A refused click."""
        del tenant_id
        self.refusals.append((approval_id, principal, why))

    def use(self, approval_id: ApprovalId) -> None:
        """Once."""
        self._change(approval_id, used=True)

    def _change(self, approval_id: ApprovalId, **changes: object) -> None:
        self.kept[approval_id] = self.kept[approval_id].model_copy(update=changes)


class InMemoryLedger:
    """`Ledger`: rows by key; only the drawn arrows can be walked."""

    def __init__(
        self,
        *,
        tickets: InMemoryTickets,
        tenants: InMemoryTenants,
        decisions: InMemoryDecisions,
        approvals: InMemoryApprovals,
        now: datetime,
    ) -> None:
        self.rows: dict[EffectKey, LedgerRow] = {}
        self.intents: dict[EffectKey, EffectIntent] = {}
        self.now = now
        self.frozen = False
        self._tickets = tickets
        self._tenants = tenants
        self._decisions = decisions
        self._approvals = approvals

    async def intend(self, intent: EffectIntent) -> LedgerRow:
        """Raises `EffectConflict` on another digest."""
        fresh = LedgerRow(
            key=intent.key, state=EffectState.INTENDED, digest=intent.digest, intended_at=self.now
        )
        row = self.rows.setdefault(intent.key, fresh)
        self.intents.setdefault(intent.key, intent)
        if row.digest != intent.digest:
            raise EffectConflict(intent.key)
        return row.model_copy(update={"as_of": self.now})

    async def claim(self, intent: EffectIntent, clearance: Clearance) -> LedgerRow:
        """All checks, then the mark. An approval is used up here."""
        row = self.rows[intent.key]
        if row.state is not EffectState.INTENDED:
            return row.model_copy(update={"taken_before": True})
        refusal = await self._refusal(intent, clearance, used_is_fine=False)
        if refusal is not None:
            return self._move(intent, EffectState.WITHDRAWN, refusal=refusal)
        if intent.approval_id is not None:
            self._approvals.use(intent.approval_id)
        return self._move(intent, EffectState.CLAIMED, claimed_at=self.now)

    async def recheck(self, intent: EffectIntent, clearance: Clearance, *, sends: bool) -> Refusal | None:
        """The same checks; the approval was used by this very effect."""
        refusal = await self._refusal(intent, clearance, used_is_fine=True)
        if refusal is None and sends:
            self.rows[intent.key] = self.rows[intent.key].model_copy(update={"tried_at": self.now})
        return refusal

    async def record(
        self,
        intent: EffectIntent,
        state: EffectState,
        receipt: Receipt | None = None,
        refusal: Refusal | None = None,
    ) -> LedgerRow:
        """Walks one arrow."""
        told = {"receipt": receipt, "refusal": refusal}
        return self._move(intent, state, **{name: value for name, value in told.items() if value})

    async def receipt(self, ticket: TicketRef, key: EffectKey) -> Receipt | None:
        """What the provider answered."""
        del ticket
        return self.rows[key].receipt if key in self.rows else None

    def _move(self, intent: EffectIntent, state: EffectState, **changes: object) -> LedgerRow:
        row = self.rows[intent.key]
        if (row.state, state) not in EFFECT_ARROWS:
            raise ValueError(f"No arrow leads from {row.state} to {state}")
        self.rows[intent.key] = row.model_copy(update={"state": state, **changes})
        return self.rows[intent.key]

    async def _refusal(
        self, intent: EffectIntent, clearance: Clearance, *, used_is_fine: bool
    ) -> Refusal | None:
        _, epoch = await self._tickets.owner(intent.ticket)
        if epoch != intent.owner_epoch:
            return Refusal.OWNER_CHANGED
        if self.frozen:
            return Refusal.FROZEN
        tenant = await self._tenants.configuration(intent.ticket.tenant_id)
        if tenant.settings.mode is Mode.OBSERVE:
            return Refusal.OBSERVE_MODE
        return (
            self._not_allowed(intent)
            or self._gate_refusal(intent, clearance)
            or self._approval_refusal(intent, used_is_fine=used_is_fine)
        )

    def _gate_refusal(self, intent: EffectIntent, clearance: Clearance) -> Refusal | None:
        decision, _, _ = self._decisions.made.get(clearance.decision_id, (None, None, None))
        about = self._decisions.at_the_claim.get(clearance.decision_id)
        if decision is None or about != intent.key or decision.verdict is Verdict.DENY:
            return Refusal.NOT_ALLOWED
        if decision.verdict is not Verdict.APPROVAL_NEEDED:
            return None
        return self._demand_refusal(intent, decision)

    def _demand_refusal(self, intent: EffectIntent, decision: PolicyDecision) -> Refusal | None:
        if intent.approval_id is None:
            return Refusal.APPROVAL_NOW_NEEDED
        kept = self._approvals.kept.get(intent.approval_id)
        terms = decision.obligations
        if kept is None or terms is None or not terms.approver_groups:
            return None
        yes = [vote for vote in kept.votes if set(vote.eligibility.groups) & set(terms.every_group)]
        return None if len(yes) >= terms.quorum else Refusal.APPROVAL_FALLS_SHORT

    def _not_allowed(self, intent: EffectIntent) -> Refusal | None:
        decision, _, _ = self._decisions.made.get(intent.decision_id, (None, None, None))
        if decision is None or decision.action_digest != intent.digest:
            return Refusal.NOT_ALLOWED
        if decision.verdict is Verdict.APPROVAL_NEEDED and intent.approval_id is None:
            return Refusal.APPROVAL_MISSING
        return Refusal.NOT_ALLOWED if decision.verdict is Verdict.DENY else None

    def _approval_refusal(self, intent: EffectIntent, *, used_is_fine: bool) -> Refusal | None:
        if intent.approval_id is None:
            return None
        kept = self._approvals.kept.get(intent.approval_id)
        if kept is None or kept.status is not ApprovalStatus.APPROVED:
            return Refusal.APPROVAL_MISSING
        if kept.request.proposed.digest != intent.digest:
            return Refusal.APPROVAL_DIFFERS
        return Refusal.APPROVAL_USED if kept.used and not used_is_fine else None
