"""The queue: a tenant's tickets with what each waits for, as pages show them (role `door`).

Two statements whatever the number of tickets: one counts, one lists. Numbers come from the key database.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from adapters.postgres.page_records import PageRecords, ShownNumber
from adapters.postgres.session import Database
from domain.conversation import TextModel
from domain.model import RecordId

PAGE = 50
DUE_SOON = timedelta(hours=1)
# A delivery tried this often does not move by itself.
STUCK_AFTER = 5


class QueueView(StrEnum):
    """Which tickets are shown."""

    ALL = "all"
    APPROVAL = "approval"
    OVERDUE = "overdue"
    MINE = "mine"
    TEAMMATE = "teammate"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"
    QUARANTINE = "quarantine"
    STOPPED = "stopped"
    STUCK = "stuck"


# One place for what each view means; both statements are made from it.
CONDITIONS: Mapping[QueueView, str] = {
    QueueView.ALL: "true",
    QueueView.APPROVAL: "due is not null",
    QueueView.OVERDUE: "(due < now() + :due_soon or late)",
    QueueView.MINE: "held_by = :me",
    QueueView.TEAMMATE: "owner = 'teammate' and reason is distinct from 'stopped'",
    QueueView.CUSTOMER: "owner = 'automation' and stage = 'waiting_for_customer'",
    QueueView.UNKNOWN: "unknown > 0",
    QueueView.QUARANTINE: "reason = 'quarantined'",
    QueueView.STOPPED: "reason = 'stopped'",
    QueueView.STUCK: "stuck > 0",
}
SEEN = """
    with asked as (
        select ticket_id, min(expires_at) as due from approvals
         where tenant_id = :tenant and status = 'pending' group by ticket_id
    ), lost as (
        select ticket_id, count(*) as unknown from effects
         where tenant_id = :tenant and state = 'unknown' group by ticket_id
    ), held as (
        select route, count(*) as stuck from inbox
         where tenant_id = :tenant and state = 'pending' and attempts >= :stuck_after and route is not null
         group by route
    ), seen as (
        select t.tenant_id, t.id, t.route, t.source, t.number, t.stage, t.owner, t.held_by, t.outcome,
            t.reason, t.turns, t.opened_at, t.updated_at, asked.due, coalesce(lost.unknown, 0) as unknown,
            coalesce(held.stuck, 0) as stuck,
            -- Nobody has told the customer anything, and the promised time is over.
            coalesce(t.held_by is null and t.stage not in ('settled', 'waiting_for_customer')
              and t.opened_at < now() - make_interval(secs => promised.acknowledge_within_s)
              and not exists (select from effects e where e.tenant_id = t.tenant_id and e.ticket_id = t.id
                and e.type = 'reply' and e.state = 'confirmed'), false) as late
          from tickets t
          join tenants promised on promised.tenant_id = t.tenant_id
          left join asked on asked.ticket_id = t.id
          left join lost on lost.ticket_id = t.id
          left join held on held.route = t.route
         where t.tenant_id = :tenant
    )
"""
COUNT = text(
    SEEN  # noqa: S608 - our own words only
    + "select "
    + ", ".join(f"count(*) filter (where {condition}) as {view}" for view, condition in CONDITIONS.items())
    + """,
    (select count(*) from inbox where tenant_id = :tenant and state = 'unroutable') as unroutable from seen"""
)
LIST = """
    select shown.*, asks.approver_groups, asks.decision_id, said.receipt_id as said_at, now() as now
      from (select * from seen where ({condition})
                and (cast(:before_at as timestamptz) is null or (updated_at, id) < (:before_at, :before_id))
                and (cast(:only as uuid) is null or id = :only)
             order by updated_at desc, id desc limit :page) shown
      left join lateral (
        select approver_groups, decision_id from approvals a
         where a.tenant_id = shown.tenant_id and a.ticket_id = shown.id and a.status = 'pending'
         order by a.expires_at, a.id limit 1) asks on true
      left join lateral (
        select receipt_id from effects e
         where e.tenant_id = shown.tenant_id and e.ticket_id = shown.id and e.type = 'slack_post'
           and e.receipt_id is not null
         order by e.intended_at desc, e.id limit 1) said on true
     order by shown.updated_at desc, shown.id desc
"""
LISTS = {view: text(SEEN + LIST.replace("{condition}", condition)) for view, condition in CONDITIONS.items()}


class QueueLine(TextModel):
    """One ticket, in the row's own words: one that we do not know must not hide the ticket."""

    id: UUID
    route: str
    source: str | None
    number: ShownNumber
    stage: str
    owner: str
    held_by: str | None
    outcome: str | None
    reason: str | None
    turns: int
    opened_at: datetime
    updated_at: datetime
    due: datetime | None  # of the pending approval that ends first
    approver_groups: tuple[str, ...]
    decision_id: str | None  # what that approval is about
    unknown: int  # effects of which nobody knows whether they happened
    stuck: int  # deliveries that do not move
    late: bool  # the customer has heard nothing within the promised time
    said_at: str | None  # the newest Slack message about it, channel:ts
    now: datetime


class QueuePage(TextModel):
    """One page, newest first. `more` says whether older ones follow."""

    lines: tuple[QueueLine, ...]
    counts: Mapping[QueueView, int]
    unroutable: int  # deliveries that name no ticket
    more: bool


class Before(TextModel):
    """Where a page goes on: after the ticket that was shown last."""

    at: datetime
    id: UUID


class Queue:
    """Works as `door`."""

    def __init__(self, database: Database, records: PageRecords) -> None:
        self._database = database
        self._records = records

    async def page(
        self, tenant_id: UUID, me: RecordId, view: QueueView, before: Before | None = None
    ) -> QueuePage:
        """The tickets of a view, and how many every view has."""
        values = _values(tenant_id, me, before, None)
        async with self._database.transaction(tenant_id) as session:
            counted = (await session.execute(COUNT, values)).mappings().one()
            rows = (await session.execute(LISTS[view], values)).all()
        lines = await self._lines(tenant_id, rows[:PAGE])
        counts = {view: int(counted[view]) for view in QueueView}
        return QueuePage(lines=lines, counts=counts, unroutable=counted["unroutable"], more=len(rows) > PAGE)

    async def one(self, tenant_id: UUID, me: RecordId, ticket_id: UUID) -> QueueLine | None:
        """None where the tenant has no such ticket."""
        async with self._database.transaction(tenant_id) as session:
            values = _values(tenant_id, me, None, ticket_id)
            rows = (await session.execute(LISTS[QueueView.ALL], values)).all()
        return next(iter(await self._lines(tenant_id, rows)), None)

    async def _lines(self, tenant_id: UUID, rows: Sequence[Row[Any]]) -> tuple[QueueLine, ...]:
        sealed = {row.id: row.number for row in rows}
        numbers = await self._records.numbers(tenant_id, sealed)
        return tuple(_line(row, numbers[row.id]) for row in rows)


def _values(tenant_id: UUID, me: RecordId, before: Before | None, only: UUID | None) -> dict[str, object]:
    return {
        "tenant": tenant_id,
        "me": me,
        "due_soon": DUE_SOON,
        "stuck_after": STUCK_AFTER,
        "before_at": before.at if before else None,
        "before_id": before.id if before else None,
        "only": only,
        "page": PAGE + 1,
    }


def _line(row: Row[Any], number: ShownNumber) -> QueueLine:
    named = {
        name: getattr(row, name)
        for name in QueueLine.model_fields
        if name not in ("number", "approver_groups")
    }
    return QueueLine(**named, number=number, approver_groups=tuple(row.approver_groups or ()))
