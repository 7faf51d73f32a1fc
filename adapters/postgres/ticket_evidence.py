"""All that the database holds about one ticket, for an auditor: rows as they are, and its chain segment."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.audit.chain import Record
from adapters.postgres.audit_records import LINK, WITH_EVENT, as_head, as_link, instant
from adapters.postgres.session import Database
from domain.ticket import TicketRef

Rows = list[dict[str, Any]]

OF_TICKET = "where tenant_id = :tenant and ticket_id = :ticket"
OF_APPROVALS = (
    "where tenant_id = :tenant and approval_id in"
    " (select id from approvals where tenant_id = :tenant and ticket_id = :ticket)"
)
TICKET = text("""
    select id, route, source, stage, owner, owner_epoch, outcome, reason, turns, opened_at, updated_at
    from tickets where tenant_id = :tenant and id = :ticket
""")
TABLES = {
    "decisions": text(f"select * from decisions {OF_TICKET} order by decided_at, id"),  # noqa: S608 - our own constants
    "approvals": text(f"select * from approvals {OF_TICKET} order by requested_at, id"),  # noqa: S608 - the same
    "votes": text(f"select * from approval_votes {OF_APPROVALS} order by cast_at, principal_id"),  # noqa: S608 - the same
    "refusals": text(f"select * from approval_refusals {OF_APPROVALS} order by refused_at, id"),  # noqa: S608 - the same
    "uses": text(f"select * from approval_uses {OF_APPROVALS} order by used_at, effect_id"),  # noqa: S608 - the same
    "effects": text(f"select * from effects {OF_TICKET} order by intended_at, id"),  # noqa: S608 - the same
    "artifacts": text(
        f"select id, created_at, expires_at, body is not null as kept from artifacts {OF_TICKET} order by id"  # noqa: S608 - the same
    ),
}
POLICIES = text("""
    select v.id, v.content from policy_compositions v
    where v.tenant_id = :tenant and v.id in
        (select policy_version from decisions where tenant_id = :tenant and ticket_id = :ticket)
    order by v.id
""")

# An event belongs to a ticket when its content names the ticket, or one of its approvals or effects.
NAMES_IT = """
    exists (select from jsonb_each_text(
        case jsonb_typeof(e.content) when 'object' then e.content else '{}' end) as c
        where c.value = any(:named))
"""
SEGMENT = text(f"""
    with mine as (
        select l.sequence, l.event_id from countersign.audit_links l
        join countersign.audit_events e on e.tenant_id = l.tenant_id and e.id = l.event_id
        where l.tenant_id = :tenant and {NAMES_IT}
    ), covering as (
        select h.* from countersign.audit_heads h where h.tenant_id = :tenant and exists (
            select from mine where mine.sequence between h.first_sequence and h.last_sequence)
    )
    select h.register, l.event_id in (select event_id from mine) as own, {LINK}
    from covering h
    join countersign.audit_links l on l.tenant_id = h.tenant_id
        and l.sequence between h.first_sequence and h.last_sequence {WITH_EVENT}
    order by h.register, l.sequence
""")  # noqa: S608 - our own constants

HEADS = text("""
    select * from countersign.audit_heads where tenant_id = :tenant and register = any(:registers)
    order by register
""")

WAITING = text(f"""
    select count(*) from countersign.audit_pending p
    join countersign.audit_events e on e.tenant_id = p.tenant_id and e.id = p.event_id
    where p.tenant_id = :tenant and {NAMES_IT}
""")  # noqa: S608 - our own constants
PATIENTLY = text("set local statement_timeout = '10min'")


class TicketEvidence:
    """Rows are read as `app`, the chain as `sealer`."""

    def __init__(self, app: Database, sealer: Database) -> None:
        self._app = app
        self._sealer = sealer

    async def rows(self, ticket: TicketRef) -> Mapping[str, Rows]:
        """By table; votes, refusals and uses within their approvals."""
        values = {"tenant": ticket.tenant_id, "ticket": ticket.ticket_id}
        async with self._app.transaction(ticket.tenant_id) as session:
            found = {name: await _read(session, query, values) for name, query in TABLES.items()}
            found["ticket"] = await _read(session, TICKET, values)
            found["policies"] = await _read(session, POLICIES, values)
        parts = {name: found.pop(name) for name in ("votes", "refusals", "uses")}
        for approval in found["approvals"]:
            for name, rows in parts.items():
                approval[name] = [row for row in rows if row["approval_id"] == approval["id"]]
        return found

    async def segment(self, ticket: TicketRef, named: Sequence[str]) -> tuple[Sequence[Record], int]:
        """The heads that cover the ticket's events, each after its links, and how many events wait unsealed.

        Links of other tickets' events carry digests only.
        """
        values = {"tenant": ticket.tenant_id, "named": list(named)}
        async with self._sealer.across_tenants() as session:
            await session.execute(PATIENTLY)
            links = (await session.execute(SEGMENT, values)).mappings().all()
            registers = sorted({row["register"] for row in links})
            asked = {"tenant": ticket.tenant_id, "registers": registers}
            heads = (await session.execute(HEADS, asked)).mappings().all()
            waiting = (await session.execute(WAITING, values)).scalar_one()
        return list(_in_order(heads, links)), waiting


def _in_order(heads: Sequence[RowMapping], links: Sequence[RowMapping]) -> Iterator[Record]:
    by_register: dict[int, list[Record]] = {}
    for row in links:
        by_register.setdefault(row["register"], []).append(_shown(row))
    for head in heads:
        yield from by_register[head["register"]]
        yield as_head(head)


def _shown(row: RowMapping) -> Record:
    link = as_link(row)
    hidden = () if row["own"] else ("id", "kind", "content", "at")
    return {name: value for name, value in link.items() if name not in hidden}


async def _read(session: AsyncSession, query: Any, values: Mapping[str, Any]) -> Rows:
    rows = (await session.execute(query, values)).mappings().all()
    return [{name: _plain(value) for name, value in row.items() if name != "tenant_id"} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    return str(value) if isinstance(value, UUID) else value
