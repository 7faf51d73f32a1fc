"""The sealer: links what waits into each tenant's chain, and signs what every chain has come to.

Works as `sealer`, which sees audit tables of all tenants and nothing else.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.audit.chain import (
    HEAD_PURPOSE,
    NOTHING,
    Record,
    entry_digest,
    event_digest,
    link_digest,
    stream_digest,
)
from adapters.audit.signing import AuditSigner
from adapters.postgres.audit_records import as_event, instant
from adapters.postgres.session import Database

SEAL_LOCK = 7_231_995_440
LARGEST_ROUND = 5000
LARGEST_BATCH = 1000  # of one tenant in one round; also what a verifier holds in memory

# A register of all streams has one end, so there is one lock: whoever does not get it has nothing to do.
LOCK = text("select pg_try_advisory_xact_lock(:lock) as mine")

# The earliest of each tenant first, so that a busy tenant delays nobody else. An event that is linked already
# is only taken off the list; one that is gone stays on it, where `oldest_unsealed` shows it.
WAITING = text("""
    with recursive waiting (tenant_id) as (
        (select tenant_id from audit_pending order by tenant_id limit 1)
        union all
        select (select p.tenant_id from audit_pending p where p.tenant_id > w.tenant_id
            order by p.tenant_id limit 1) from waiting w where w.tenant_id is not null
    )
    select e.tenant_id, e.id, e.kind, e.content::text as content, e.at, l.event_id is not null as linked
    from waiting w
    cross join lateral (
        select p.event_id, row_number() over (order by p.at, p.event_id) as place from audit_pending p
        where p.tenant_id = w.tenant_id order by p.at, p.event_id limit :batch
    ) as p
    join audit_events e on e.tenant_id = w.tenant_id and e.id = p.event_id
    left join audit_links l on l.tenant_id = w.tenant_id and l.event_id = p.event_id
    where w.tenant_id is not null
    order by p.place, e.tenant_id limit :most
""")

LAST_ENTRY = text("""
    select clock_timestamp() as now, (select max(register) from audit_heads) as register,
        (select entry from audit_heads order by register desc limit 1) as entry,
        (select tenant_id from audit_heads order by register desc limit 1) as tenant_id
""")

TAILS = text("""
    select t.tenant_id, h.last_sequence, h.link from unnest(cast(:tenants as uuid[])) as t (tenant_id)
    cross join lateral (
        select last_sequence, link from audit_heads h where h.tenant_id = t.tenant_id
        order by register desc limit 1
    ) as h
""")

ADD_LINKS = text("""
    insert into audit_links (tenant_id, sequence, event_id, event_digest, previous, link)
    select * from unnest(cast(:tenant as uuid[]), cast(:sequence as bigint[]), cast(:id as uuid[]),
        cast(:event as text[]), cast(:previous as text[]), cast(:link as text[]))
""")

ADD_HEADS = text("""
    insert into audit_heads (tenant_id, register, first_sequence, last_sequence, count, link, sealed_at,
        previous, after, key_id, entry, signature)
    select * from unnest(cast(:tenant as uuid[]), cast(:register as bigint[]), cast(:first as bigint[]),
        cast(:last as bigint[]), cast(:count as bigint[]), cast(:link as text[]), cast(:at as timestamptz[]),
        cast(:previous as text[]), cast(:after as text[]), cast(:key as text[]), cast(:entry as text[]),
        cast(:signature as text[]))
""")

TAKE = text("""
    delete from audit_pending p
    using unnest(cast(:tenants as uuid[]), cast(:events as uuid[])) as t (tenant_id, id)
    where p.tenant_id = t.tenant_id and p.event_id = t.id
""")

OLDEST = text("select clock_timestamp() - min(at) as age, count(*) as waiting from audit_pending")


class Sealer:
    """Any number may run; one seals at a time. A round is one transaction: all of it or none."""

    def __init__(
        self,
        database: Database,
        signer: AuditSigner,
        *,
        batch: int = LARGEST_BATCH,
        most: int = LARGEST_ROUND,
    ) -> None:
        self._database = database
        self._signer = signer
        self._size = {"batch": batch, "most": most}

    async def round(self) -> bool:
        """Seals one batch of each tenant that has something; True where more may wait."""
        async with self._database.across_tenants() as session:
            if not (await session.execute(LOCK, {"lock": SEAL_LOCK})).scalar_one():
                return False
            # Only now, in a statement of its own: it must see what the last holder of the lock committed.
            rows = (await session.execute(WAITING, self._size)).mappings().all()
            if not rows:
                return False
            await self._seal(session, [row for row in rows if not row["linked"]])
            taken = {"tenants": [row["tenant_id"] for row in rows], "events": [row["id"] for row in rows]}
            await session.execute(TAKE, taken)
        return len(rows) >= min(self._size.values())

    async def _seal(self, session: AsyncSession, rows: Sequence[RowMapping]) -> None:
        by_tenant: dict[UUID, list[RowMapping]] = defaultdict(list)
        for row in rows:
            by_tenant[row["tenant_id"]].append(row)
        if not by_tenant:
            return
        found = (await session.execute(TAILS, {"tenants": list(by_tenant)})).all()
        tails = {row.tenant_id: (row.last_sequence, row.link) for row in found}
        last = (await session.execute(LAST_ENTRY)).mappings().one()
        chains = [
            _linked(tenant_rows, *tails.get(tenant, (0, NOTHING)))
            for tenant, tenant_rows in by_tenant.items()
        ]
        await session.execute(ADD_LINKS, _columns([link for chain in chains for link in chain]))
        await session.execute(ADD_HEADS, _columns(self._heads(chains, last)))

    def _heads(self, chains: Sequence[Sequence[Record]], last: RowMapping) -> list[Record]:
        register, previous = last["register"] or 0, last["entry"] or NOTHING
        after = stream_digest(str(last["tenant_id"])) if last["tenant_id"] else NOTHING
        heads = []
        for number, chain in enumerate(chains, register + 1):
            place = {"register": number, "previous": previous, "after": after}
            heads.append(self._signed(chain, place, last["now"]))
            previous, after = heads[-1]["entry"], stream_digest(chain[0]["tenant"])
        return heads

    def _signed(self, chain: Sequence[Record], place: Record, now: datetime) -> Record:
        first, last = chain[0], chain[-1]
        head = {
            "tenant": first["tenant"],
            "first": first["sequence"],
            "last": last["sequence"],
            "count": len(chain),
            "link": last["link"],
            "at": instant(now),
            "key": self._signer.key_id,
            **place,
        }
        entry = entry_digest(head)
        return head | {"entry": entry, "signature": self._signer.sign(HEAD_PURPOSE, entry)}


def _linked(rows: Sequence[RowMapping], sequence: int, previous: str) -> list[Record]:
    links: list[Record] = []
    for row in rows:
        sequence += 1
        event = as_event(row)
        link = {
            "tenant": event["tenant"],
            "sequence": sequence,
            "id": event["id"],
            "event": event_digest(event),
            "previous": previous,
        }
        previous = link_digest(link)
        links.append(link | {"link": previous})
    return links


def _columns(records: Sequence[Record]) -> Mapping[str, list[Any]]:
    return {name: [record[name] for record in records] for name in records[0]}


async def oldest_unsealed(database: Database) -> tuple[timedelta | None, int]:
    """How long the oldest event has waited (None where none waits), and how many wait. As `sealer`."""
    row = (await database.call(OLDEST, {}))[0]
    return row["age"], row["waiting"]
