"""What a turn took, from rows that are there when it settles. docs/measures.md defines each column."""

from typing import Any

from sqlalchemy import TextClause, text

from domain.ticket import Settlement, Stage, TicketRef

# The effect of a word that answers nothing. As `workflows.plan` numbers it, and a test compares them.
ACKNOWLEDGEMENT = 5

MEASURE = text("""
insert into ticket_measures (tenant_id, ticket_id, turn, received_at, first_reply_at, waited_for_people_ms,
    approved_unchanged, decided_in_ms, handoff_reason)
with before as (
    select max(settled_at) as settled_at, exists (select from answered_messages earlier
            where earlier.tenant_id = :tenant and earlier.ticket_id = :ticket and earlier.turn < :turn)
        as answered
    from ticket_measures where tenant_id = :tenant and ticket_id = :ticket and turn < :turn
), told as (
    select min(received_at) filter (where received_at > before.settled_at
            or (before.settled_at is null and not before.answered)) as first,
        max(received_at) as last
    from before left join inbox on tenant_id = :tenant and kind = 'helpdesk' and route = :route
), replied as (
    select min(coalesce(received_at, moved_at)) as at from effects
    where tenant_id = :tenant and ticket_id = :ticket and turn = :turn and type = 'reply'
        and state = 'confirmed' and (proposed ->> 'ordinal')::integer <> :acknowledgement
), asked as (
    select count(*) filter (where status in ('approved', 'rejected')) as answered,
        sum(extract(epoch from coalesce(closed_at, now()) - requested_at)) as waited_s,
        bool_and(status = 'approved') as unchanged,
        extract(epoch from max(closed_at) filter (where status in ('approved', 'rejected'))
            - min(requested_at)) as decided_s
    from approvals question
    where tenant_id = :tenant and ticket_id = :ticket and exists (select from decisions made
        where made.tenant_id = question.tenant_id and made.id = question.decision_id and made.turn = :turn)
)
select :tenant, :ticket, :turn, coalesce(told.first, told.last), replied.at, round(1000 * asked.waited_s),
    case when asked.answered > 0 then asked.unchanged end, round(1000 * asked.decided_s),
    cast(:handoff_reason as text)
from told, replied, asked
on conflict do nothing
""")


def measured(ticket: TicketRef, settlement: Settlement) -> tuple[TextClause, dict[str, Any]]:
    """One statement, for the transaction that settles the turn. Repeating is safe."""
    handed_over = settlement.stage is Stage.HANDED_OVER
    return MEASURE, {
        "tenant": ticket.tenant_id,
        "ticket": ticket.ticket_id,
        "route": ticket.route,
        "turn": settlement.record.turns,
        "acknowledgement": ACKNOWLEDGEMENT,
        "handoff_reason": settlement.reason if handed_over else None,
    }
