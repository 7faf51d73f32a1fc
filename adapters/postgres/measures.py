"""Reads what measures are made from: one statement, whatever the number of tickets."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from adapters.postgres.session import Database
from domain.measures import TicketRecord

RECORDS = text("""
with ours as (
    select id, opened_at, outcome from tickets where tenant_id = :tenant and opened_at >= :since
), changed as (
    select ticket_id, jsonb_agg(jsonb_build_object('sequence', sequence, 'previous', previous,
        'outcome', outcome, 'reason', reason, 'at', at) order by sequence) as steps
    from ticket_outcomes where tenant_id = :tenant group by ticket_id
), took as (
    select ticket_id, jsonb_agg(to_jsonb(m) - 'tenant_id' - 'ticket_id' order by turn) as turns
    from ticket_measures m where tenant_id = :tenant group by ticket_id
), edited as (
    select ticket_id, jsonb_agg(distance_permille order by at, message) as distances
    from labelled_edits where tenant_id = :tenant group by ticket_id
), judged as (
    select distinct on (ticket_id) ticket_id, verdict from handoff_judgements where tenant_id = :tenant
    order by ticket_id, sequence desc
)
select ours.id as ticket_id, ours.opened_at, ours.outcome, coalesce(changed.steps, '[]') as outcomes,
    coalesce(took.turns, '[]') as turns, coalesce(edited.distances, '[]') as edit_distances_permille,
    judged.verdict as handoff_judged
from ours
left join changed on changed.ticket_id = ours.id
left join took on took.ticket_id = ours.id
left join edited on edited.ticket_id = ours.id
left join judged on judged.ticket_id = ours.id
order by ours.opened_at, ours.id
""")


class MeasuredTickets:
    """Works as `app`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, tenant_id: UUID, since: datetime) -> Sequence[TicketRecord]:
        """Tickets that were opened at `since` or later, the oldest first."""
        async with self._database.transaction(tenant_id) as session:
            rows = (await session.execute(RECORDS, {"tenant": tenant_id, "since": since})).mappings().all()
        return [TicketRecord.model_validate(dict(row)) for row in rows]
