"""Rows with times that a test can reckon with by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from tests.adapters.postgres.story import Story

NINE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

DELIVERY = text("""
    insert into inbox (tenant_id, id, kind, source, route, delivery_key, body, state, received_at)
    values (:tenant, gen_random_uuid(), :kind, 'generic', :route, :key, '', 'consumed', :at)
""")
EFFECT = text("""
    insert into effects (tenant_id, id, ticket_id, type, digest, proposed, decision_id, turn, state,
        received_at, moved_at)
    values (:tenant, :key, :ticket, :type, '',
        jsonb_build_object('ordinal', cast(:ordinal as integer)), '', :turn,
        :state, :at, :at)
""")
DECISION = text("""
    insert into decisions (tenant_id, id, ticket_id, turn, action_type, action_digest, verdict,
        policy_version, input_digest, input, reasons, latency_us)
    values (:tenant, :id, :ticket, :turn, :type, '', 'approval_needed', :version, '', '{}', '[]', 1)
""")
APPROVAL = text("""
    insert into approvals (tenant_id, id, ticket_id, decision_id, action_digest, request, status, seal,
        requested_at, expires_at, closed_at)
    values (:tenant, :id, :ticket, :decision, '', '{}', :status, 'sealed', :asked, :asked, :closed)
""")


def after(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


async def written(story: Story, statement: Any, **values: Any) -> None:
    """As the owner, who alone can say when something was."""
    named = {"tenant": story.ticket.tenant_id, "ticket": story.ticket.ticket_id, **values}
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        await session.execute(statement, {name: named[name] for name in statement._bindparams})


async def arrived(story: Story, minutes: float, kind: str = "helpdesk", route: str | None = None) -> None:
    route = route or story.ticket.route
    await written(story, DELIVERY, kind=kind, route=route, key=uuid4().hex, at=after(minutes))


async def replied(
    story: Story,
    turn: int,
    minutes: float,
    *,
    ordinal: int = 0,
    state: str = "confirmed",
    type_: str = "reply",
) -> None:
    key = f"eff_{uuid4().hex}{uuid4().hex[:8]}"
    told = {"type": type_, "ordinal": ordinal, "state": state}
    await written(story, EFFECT, key=key, turn=turn, at=after(minutes), **told)


async def was_asked(story: Story, turn: int, asked: float, closed: float, status: str) -> None:
    id_ = f"dec_{uuid4().hex}{uuid4().hex[:8]}"
    version = "sha256:" + 64 * "d"
    await written(story, DECISION, id=id_, turn=turn, type="refund", version=version)
    times = {"asked": after(asked), "closed": after(closed)}
    await written(story, APPROVAL, id=id_, decision=id_, status=status, **times)
