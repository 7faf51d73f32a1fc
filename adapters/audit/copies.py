"""Copies of the chain for verification elsewhere, and verification of the live one by the same checker."""

import json
from collections.abc import AsyncIterator, Callable, Iterable

from adapters.audit.chain import (
    COPY_PURPOSE,
    EVERYTHING,
    NOTHING,
    VERSION,
    Checker,
    Finding,
    Record,
    end_digest,
    kept_heads,
)
from adapters.audit.signing import AuditSigner
from adapters.postgres.audit_records import AuditRecords

SEALED_WITHIN_S = 60.0
PROGRESS_EVERY = 10_000

Progress = Callable[[int], None]


async def copy_lines(
    records: AuditRecords, signer: AuditSigner, scope: str = EVERYTHING
) -> AsyncIterator[str]:
    """A copy as JSON lines. Only what is sealed is in it; the last line is signed."""
    public = signer.public.hex()
    yield line_of(
        {"type": "copy", "version": VERSION, "scope": scope, "key": signer.key_id, "public": public}
    )
    links, register, entry = 0, 0, NOTHING
    async for record in records.chain():
        yield line_of(record)
        if record["type"] == "head":
            register, entry = record["register"], record["entry"]
        else:
            links += 1
    end = {"scope": scope, "register": register, "entry": entry, "links": links, "key": signer.key_id}
    yield line_of({"type": "end", **end, "signature": signer.sign(COPY_PURPOSE, end_digest(end))})


async def check_live(  # noqa: PLR0913 - what a verifier may know from elsewhere
    records: AuditRecords,
    signer: AuditSigner,
    *,
    scope: str = EVERYTHING,
    kept: Iterable[str] = (),
    tenants: Iterable[str] = (),
    progress: Progress = lambda _links: None,
) -> AsyncIterator[Finding]:
    """What is wrong with the chain in the database. Raises `ValueError` for kept heads of another key."""
    checker = Checker(signer.public, scope, kept_heads(kept, signer.public))
    async for record in records.chain():
        for finding in checker.take(record):
            yield finding
        if record["type"] == "link" and checker.links % PROGRESS_EVERY == 0:
            progress(checker.links)
    for finding in checker.finish([*tenants, *await records.streams()]):
        yield finding
    progress(checker.links)
    for tenant, event in await records.vanished():
        yield Finding("deleted", f"tenant {tenant}, event {event}", "it was gone before it was sealed")
    for tenant, event, late in await records.unlinked(SEALED_WITHIN_S):
        if late:
            what = f"no link leads to it, and the sealer takes less than {SEALED_WITHIN_S:.0f} s"
            yield Finding("inserted", f"tenant {tenant}, event {event}", what)


def line_of(record: Record) -> str:
    """One line of a copy."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
