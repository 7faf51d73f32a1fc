"""The `Approvals` port: what was asked, who answered, and the seal that a claim consumes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Database
from adapters.postgres.tables import approval_refusals, approval_votes, approvals
from domain.approval import ApprovalRequest, ApprovalStatus, Vote, VoteRefusal
from domain.errors import ApprovalEnded
from domain.model import ApprovalId, RecordId
from domain.ticket import TicketRef

# The seal says what was shown, who said yes and until when it holds; only an approved one has it.
CLOSE = text("""
    with closed as (
        update approvals a set status = :status, closed_at = now(), seal = case when :status = 'approved' then
                'sha256:' || encode(sha256(convert_to(concat_ws('/', a.id, a.revision, a.action_digest,
                    a.decision_id, a.request ->> 'card', a.expires_at at time zone 'UTC', voters.ids),
                    'UTF8')), 'hex') end
            from (select string_agg(principal_id, ',' order by principal_id) as ids from approval_votes
                where tenant_id = :tenant and approval_id = :approval and kind = 'approve') as voters
            where a.tenant_id = :tenant and a.id = :approval and a.status = 'pending'
            returning a.tenant_id, a.id, a.seal)
    insert into audit_events (tenant_id, kind, content)
        select tenant_id, 'approval_' || :status, jsonb_build_object('approval', id, 'seal', seal) from closed
""")


CHANGED = text("""
    insert into audit_events (tenant_id, kind, content) values (:tenant, 'draft_changed',
        jsonb_build_object('approval', cast(:approval as text), 'ticket', cast(:ticket as text),
            'by', cast(:by as text), 'digest', cast(:digest as text), 'revision', cast(:revision as integer)))
""")


class PostgresApprovals:
    """Works as `app`. Votes and refusals are append-only, an approval is closed once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(self, request: ApprovalRequest, expires_at: datetime) -> None:
        """Repeating is safe. Raises `ApprovalEnded` where the same question has ended before."""
        addition = insert(approvals).values(
            tenant_id=request.ticket.tenant_id,
            id=request.approval_id,
            ticket_id=request.ticket.ticket_id,
            decision_id=request.decision.decision_id,
            action_digest=request.proposed.digest,
            revision=request.revision,
            request=request.model_dump(mode="json"),
            approver_groups=list(request.obligations.every_group),
            quorum=request.obligations.quorum,
            expires_at=expires_at,
        )
        async with self._database.transaction(request.ticket.tenant_id) as session:
            added = await session.execute(addition.on_conflict_do_nothing().returning(approvals.c.id))
            if added.first() is not None and request.changed_by is not None:
                await session.execute(CHANGED, _change(request))
            if (await session.execute(_status(request))).scalar_one() != ApprovalStatus.PENDING:
                raise ApprovalEnded(request.approval_id)

    async def record_vote(self, vote: Vote, ticket: TicketRef) -> None:
        """One vote per person. Repeating is safe."""
        addition = insert(approval_votes).values(
            tenant_id=ticket.tenant_id,
            approval_id=vote.approval_id,
            principal_id=vote.eligibility.principal,
            kind=vote.kind,
            revision=vote.revision,
            action_digest=vote.digest,
            groups=list(vote.eligibility.groups),
            eligible_as_of=vote.eligibility.as_of,
            reason=vote.reason,
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            await session.execute(addition.on_conflict_do_nothing())

    async def close(self, ticket: TicketRef, approval_id: ApprovalId, status: ApprovalStatus) -> None:
        """`approved` seals it: bound to its digest, to be consumed once by a claim. Repeating is safe."""
        values = {"tenant": ticket.tenant_id, "approval": approval_id, "status": status}
        async with self._database.transaction(ticket.tenant_id) as session:
            await session.execute(CLOSE, values)

    async def record_refusal(
        self, tenant_id: UUID, approval_id: ApprovalId, principal: RecordId, why: VoteRefusal
    ) -> None:
        """A refused click leaves no history, so it is kept here."""
        addition = insert(approval_refusals).values(
            tenant_id=tenant_id, approval_id=approval_id, principal_id=principal, why=why
        )
        async with self._database.transaction(tenant_id) as session:
            await session.execute(addition)


def _change(request: ApprovalRequest) -> dict[str, object]:
    return {
        "tenant": request.ticket.tenant_id,
        "approval": request.approval_id,
        "ticket": str(request.ticket.ticket_id),
        "by": request.changed_by,
        "digest": request.proposed.digest,
        "revision": request.revision,
    }


def _status(request: ApprovalRequest) -> Select[str]:
    return select(approvals.c.status).where(
        approvals.c.tenant_id == request.ticket.tenant_id, approvals.c.id == request.approval_id
    )
