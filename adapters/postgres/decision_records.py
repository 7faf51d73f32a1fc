"""Decisions as compliance reads them: from what, who was asked, what followed (role `door`)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Select, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.session import Database
from adapters.postgres.tables import (
    approval_refusals,
    approval_votes,
    approvals,
    candidate_differences,
    decisions,
    effects,
)
from domain.conversation import TextModel
from domain.decision import Obligations, Reason


class VoteRecord(TextModel):
    """One answer to an approval."""

    principal_id: str
    kind: str
    groups: tuple[str, ...]
    cast_at: datetime


class RefusedClick(TextModel):
    """A click that was not counted."""

    principal_id: str
    why: str
    refused_at: datetime


class ApprovalRecord(TextModel):
    """The question put to people, and their answers."""

    id: str
    decision_id: str
    approver_groups: tuple[str, ...]
    quorum: int
    status: str
    seal: str | None
    requested_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    votes: tuple[VoteRecord, ...] = ()
    refusals: tuple[RefusedClick, ...] = ()


class EffectRecord(TextModel):
    """What left, or was to leave."""

    id: str
    type: str
    decision_id: str
    approval_id: str | None
    state: str
    refusal: str | None
    receipt_id: str | None
    received_at: datetime | None
    intended_at: datetime
    claimed_at: datetime | None
    moved_at: datetime | None


class DecisionRecord(TextModel):
    """One policy decision with its complete input."""

    id: str
    ticket_id: UUID
    turn: int
    action_type: str
    action_digest: str
    verdict: str
    policy_version: str
    input_digest: str
    input: Mapping[str, JsonValue]
    reasons: tuple[Reason, ...]
    obligations: Obligations | None
    messages: tuple[str, ...]
    latency_us: int
    decided_at: datetime
    effect_id: str | None = None  # that was about to leave; None: about a plan


class CandidateVerdict(TextModel):
    """What a policy that is only tried would have answered, where it is something else."""

    candidate: str
    candidate_verdict: str
    rules: tuple[str, ...]


class DecisionStory(TextModel):
    """Decisions with what came of them. `candidates` are of a single decision."""

    decisions: tuple[DecisionRecord, ...]
    approvals: tuple[ApprovalRecord, ...]
    effects: tuple[EffectRecord, ...]
    candidates: tuple[CandidateVerdict, ...] = ()


class DecisionRecords:
    """Works as `door`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_decision(self, tenant_id: UUID, decision_id: str) -> DecisionStory | None:
        """None where the tenant has no such decision."""
        async with self._database.transaction(tenant_id) as session:
            made = await _decisions(session, tenant_id, decisions.c.id == decision_id)
            if not made:
                return None
            ticket_id = made[0].ticket_id
            return DecisionStory(
                decisions=made,
                approvals=await _approvals(
                    session, tenant_id, ticket_id, approvals.c.decision_id == decision_id
                ),
                effects=await _effects(
                    session,
                    tenant_id,
                    ticket_id,
                    or_(effects.c.decision_id == decision_id, effects.c.let_out_by == decision_id),
                ),
                candidates=await _candidates(session, tenant_id, decision_id),
            )

    async def of_ticket(self, tenant_id: UUID, ticket_id: UUID) -> DecisionStory:
        """Oldest first; empty where nothing was decided."""
        async with self._database.transaction(tenant_id) as session:
            return DecisionStory(
                decisions=await _decisions(session, tenant_id, decisions.c.ticket_id == ticket_id),
                approvals=await _approvals(session, tenant_id, ticket_id),
                effects=await _effects(session, tenant_id, ticket_id),
            )


async def _decisions(
    session: AsyncSession, tenant_id: UUID, condition: ColumnElement[bool]
) -> tuple[DecisionRecord, ...]:
    query = _of(decisions, DecisionRecord).where(decisions.c.tenant_id == tenant_id, condition)
    rows = await session.execute(query.order_by(decisions.c.decided_at, decisions.c.turn, decisions.c.id))
    return tuple(DecisionRecord.model_validate(dict(row)) for row in rows.mappings())


async def _candidates(
    session: AsyncSession, tenant_id: UUID, decision_id: str
) -> tuple[CandidateVerdict, ...]:
    table = candidate_differences
    query = _of(table, CandidateVerdict).where(
        table.c.tenant_id == tenant_id, table.c.decision_id == decision_id
    )
    rows = await session.execute(query.order_by(table.c.at, table.c.candidate))
    return tuple(CandidateVerdict.model_validate(dict(row)) for row in rows.mappings())


async def _effects(
    session: AsyncSession, tenant_id: UUID, ticket_id: UUID, *conditions: ColumnElement[bool]
) -> tuple[EffectRecord, ...]:
    query = _of(effects, EffectRecord).where(
        effects.c.tenant_id == tenant_id, effects.c.ticket_id == ticket_id, *conditions
    )
    rows = await session.execute(query.order_by(effects.c.intended_at, effects.c.id))
    return tuple(EffectRecord.model_validate(dict(row)) for row in rows.mappings())


async def _approvals(
    session: AsyncSession, tenant_id: UUID, ticket_id: UUID, *conditions: ColumnElement[bool]
) -> tuple[ApprovalRecord, ...]:
    query = _of(approvals, ApprovalRecord).where(
        approvals.c.tenant_id == tenant_id, approvals.c.ticket_id == ticket_id, *conditions
    )
    rows = (await session.execute(query.order_by(approvals.c.requested_at, approvals.c.id))).mappings().all()
    ids = [str(row["id"]) for row in rows]
    votes = await _answers(session, tenant_id, ids, approval_votes, approval_votes.c.cast_at)
    refused = await _answers(session, tenant_id, ids, approval_refusals, approval_refusals.c.refused_at)
    return tuple(
        ApprovalRecord(
            **dict(row),
            votes=tuple(_part(VoteRecord, vote) for vote in votes if vote["approval_id"] == row["id"]),
            refusals=tuple(
                _part(RefusedClick, click) for click in refused if click["approval_id"] == row["id"]
            ),
        )
        for row in rows
    )


async def _answers(
    session: AsyncSession, tenant_id: UUID, ids: Sequence[str], table: Table, at: ColumnElement[Any]
) -> Sequence[Mapping[Any, Any]]:
    shape = VoteRecord if table is approval_votes else RefusedClick
    query = _of(table, shape, "approval_id").where(
        table.c.tenant_id == tenant_id, table.c.approval_id.in_(ids)
    )
    return (await session.execute(query.order_by(at, table.c.principal_id))).mappings().all() if ids else []


def _of(table: Table, shape: type[TextModel], *more: str) -> Select[Any]:
    """Exactly the columns that are shown: the role may read no others."""
    return select(*(table.c[name] for name in (*more, *shape.model_fields) if name in table.c))


def _part(shape: Any, row: Mapping[Any, Any]) -> Any:
    return shape(**{name: row[name] for name in shape.model_fields})
