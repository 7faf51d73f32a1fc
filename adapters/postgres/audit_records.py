"""Reads events, links and heads as the records that a copy consists of. Works as `sealer`."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.audit.chain import Record

PAGE = 2000

LINK = """
    l.tenant_id, l.sequence, l.event_id as id, l.event_digest as event, l.previous, l.link,
    e.kind, e.content::text as content, e.at
"""
WITH_EVENT = "left join countersign.audit_events e on e.tenant_id = l.tenant_id and e.id = l.event_id"

HEADS = text("""
    select * from countersign.audit_heads
    where register > :register and (cast(:tenant as uuid) is null or tenant_id = :tenant)
    order by register limit :page
""")

LINKS_OF_HEADS = text(f"""
    select h.register, {LINK} from unnest(cast(:registers as bigint[])) as wanted (register)
    join countersign.audit_heads h on h.register = wanted.register
    join countersign.audit_links l on l.tenant_id = h.tenant_id
        and l.sequence between h.first_sequence and h.last_sequence {WITH_EVENT}
    order by h.register, l.sequence
""")  # noqa: S608 - our own constants

# What no head covers: the reader of heads never comes across it.
STRAY_LINKS = text(f"""
    select {LINK} from countersign.audit_links l {WITH_EVENT}
    where (cast(:tenant as uuid) is null or l.tenant_id = :tenant) and not exists (
        select from countersign.audit_heads h where h.tenant_id = l.tenant_id
            and l.sequence between h.first_sequence and h.last_sequence)
    order by l.tenant_id, l.sequence
""")  # noqa: S608 - our own constants

# Wherever somebody emptied the list of what waits, the event itself still has no link.
UNLINKED = text("""
    select e.tenant_id, e.id, e.at, clock_timestamp() - e.at > make_interval(secs => :grace) as late
    from countersign.audit_events e
    where (cast(:tenant as uuid) is null or e.tenant_id = :tenant) and not exists (
        select from countersign.audit_links l where l.tenant_id = e.tenant_id and l.event_id = e.id)
    order by e.tenant_id, e.at, e.id
""")

VANISHED = text("""
    select p.tenant_id, p.event_id as id from countersign.audit_pending p
    where (cast(:tenant as uuid) is null or p.tenant_id = :tenant) and not exists (
        select from countersign.audit_events e where e.tenant_id = p.tenant_id and e.id = p.event_id)
    order by p.tenant_id, p.event_id
""")

NEWEST_HEADS = text("""
    with recursive streams (tenant_id) as (
        (select tenant_id from countersign.audit_heads order by tenant_id limit 1)
        union all
        select (select h.tenant_id from countersign.audit_heads h where h.tenant_id > s.tenant_id
            order by h.tenant_id limit 1) from streams s where s.tenant_id is not null
    )
    select h.* from streams s cross join lateral (
        select * from countersign.audit_heads h where h.tenant_id = s.tenant_id order by register desc limit 1
    ) as h
    where s.tenant_id is not null order by h.register
""")

TENANTS_WITH_EVENTS = text("""
    with recursive streams (tenant_id) as (
        (select tenant_id from countersign.audit_events order by tenant_id limit 1)
        union all
        select (select e.tenant_id from countersign.audit_events e where e.tenant_id > s.tenant_id
            order by e.tenant_id limit 1) from streams s where s.tenant_id is not null
    )
    select tenant_id from streams where tenant_id is not null
""")


class AuditRecords:
    """One reading of the chain inside one transaction."""

    def __init__(self, session: AsyncSession, tenant_id: UUID | None = None) -> None:
        self._session = session
        self._tenant = tenant_id

    async def chain(self) -> AsyncIterator[Record]:
        """Heads in the order of the register, each after the links it covers; links without head last."""
        register = 0
        while heads := await self._heads(register):
            links = await self._links([head["register"] for head in heads])
            for head in heads:
                for link in links.get(head["register"], ()):
                    yield as_link(link)
                yield as_head(head)
            register = heads[-1]["register"]
        for row in await self._rows(STRAY_LINKS, tenant=self._tenant):
            yield as_link(row)

    async def newest_heads(self) -> Sequence[Record]:
        """One of each stream: what is worth keeping elsewhere."""
        return [as_head(row) for row in await self._rows(NEWEST_HEADS)]

    async def unlinked(self, grace_s: float) -> Sequence[tuple[UUID, UUID, bool]]:
        """Tenant and event, and whether the sealer should have come by now."""
        rows = await self._rows(UNLINKED, tenant=self._tenant, grace=grace_s)
        return [(row["tenant_id"], row["id"], row["late"]) for row in rows]

    async def vanished(self) -> Sequence[tuple[UUID, UUID]]:
        """Tenant and event of what was written, waited to be sealed, and is gone."""
        rows = await self._rows(VANISHED, tenant=self._tenant)
        return [(row["tenant_id"], row["id"]) for row in rows]

    async def streams(self) -> Sequence[str]:
        """Tenants that have events, whether sealed or not."""
        return [str(row["tenant_id"]) for row in await self._rows(TENANTS_WITH_EVENTS)]

    async def _heads(self, register: int) -> Sequence[RowMapping]:
        rows = await self._rows(HEADS, register=register, tenant=self._tenant, page=PAGE)
        taken: list[RowMapping] = []
        covered = 0
        for row in rows:
            covered += row["count"]
            if taken and covered > PAGE:
                break
            taken.append(row)
        return taken

    async def _links(self, registers: Sequence[int]) -> dict[int, list[RowMapping]]:
        by_head: dict[int, list[RowMapping]] = {}
        for row in await self._rows(LINKS_OF_HEADS, registers=registers):
            by_head.setdefault(row["register"], []).append(row)
        return by_head

    async def _rows(self, statement: TextClause, **values: Any) -> Sequence[RowMapping]:
        return (await self._session.execute(statement, values)).mappings().all()


def as_event(row: RowMapping) -> Record:
    """What an event's digest is made from."""
    return {
        "tenant": str(row["tenant_id"]),
        "id": str(row["id"]),
        "kind": row["kind"],
        "content": row["content"],
        "at": instant(row["at"]) if row["at"] else None,
    }


def as_link(row: RowMapping) -> Record:
    """A link with its event; the event's part is None where it is gone."""
    own = {name: row[name] for name in ("sequence", "event", "previous", "link")}
    return {"type": "link", **as_event(row), **own}


def as_head(row: RowMapping) -> Record:
    """A signed head."""
    return {
        "type": "head",
        "tenant": str(row["tenant_id"]),
        "register": row["register"],
        "first": row["first_sequence"],
        "last": row["last_sequence"],
        "count": row["count"],
        "link": row["link"],
        "at": instant(row["sealed_at"]),
        "previous": row["previous"],
        "after": row["after"],
        "key": row["key_id"],
        "entry": row["entry"],
        "signature": row["signature"],
    }


def instant(at: datetime) -> str:
    """UTC with microseconds: one text for one time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
