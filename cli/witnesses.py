"""Asks both witnesses which tickets there were."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from time import time
from uuid import UUID

from adapters.audit.chain import Finding
from adapters.audit.witnesses import KnownTickets, ticket_of
from adapters.postgres.session import Database
from adapters.postgres.ticket_witness import TicketWitness
from adapters.temporal_histories import TemporalHistories
from cli.connected import Connected


async def disagreements(
    system: Connected, sealer: Database, tenants: Sequence[UUID]
) -> AsyncIterator[Finding]:
    """Each ticket of these tenants that is missing from one side, named. One tenant at a time in memory."""
    witness = TicketWitness(system.app, sealer)
    histories = TemporalHistories(await system.temporal())
    now = datetime.fromtimestamp(time(), UTC)
    for tenant_id in tenants:
        running = {ticket_of(id_): at async for id_, at in histories.tickets_of(tenant_id)}
        known = KnownTickets(
            tenant_id,
            listed=await witness.listed(tenant_id),
            audited=await witness.audited(tenant_id),
            running=running,
            archived=await witness.archived(tenant_id),
        )
        for finding in known.disagreements(now):
            yield finding
