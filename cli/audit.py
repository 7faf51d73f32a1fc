"""`countersign audit verify|heads|chain|export`: what was recorded, checked and handed to an auditor."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import text

from adapters.audit.bundle import BundleMaker, write_bundle
from adapters.audit.chain import EVERYTHING, Finding, check_copy
from adapters.audit.copies import check_live, copy_lines, line_of
from adapters.audit.signing import AuditSigner, audit_signer
from adapters.postgres.artifacts import PostgresArtifacts
from adapters.postgres.audit_records import AuditRecords
from adapters.postgres.sealer import Sealer
from adapters.postgres.session import Database
from adapters.postgres.tenant_list import listed_tenants
from adapters.postgres.ticket_evidence import TicketEvidence
from adapters.settings import Settings, master_key_of, needed
from cli.connected import connected, running_settings
from cli.terminal import own_command
from cli.witnesses import disagreements

SNAPSHOT = text("set transaction isolation level repeatable read, read only")
PATIENTLY = text("set local statement_timeout = '10min'")
FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """Verify what was recorded, and hand it to an auditor."""


@audit.command()
@click.option("--tenant", help="Only this tenant's chain; without it also the register of all streams.")
@click.option("--heads", type=EXISTING, help="Heads that were kept elsewhere: what `audit heads` printed.")
@click.option("--file", "copy", type=EXISTING, help="A copy made by `audit chain`, instead of the database.")
@click.option("--key", help="With --file: the id of the key to be trusted.")
def verify(tenant: str | None, heads: Path | None, copy: Path | None, key: str | None) -> int:
    """Find and name what was edited, deleted, inserted, reordered, truncated or dropped."""
    kept = _lines(heads) if heads else []
    if copy:
        return _report(_of_copy(copy, kept, key))
    if key:
        raise click.ClickException("--key says which copy to trust. Name the copy with --file")
    return _report(asyncio.run(_verify(tenant, kept)))


@audit.command()
def heads() -> None:
    """Print the newest signed head of each stream, to be kept where this system cannot write."""
    asyncio.run(_heads())


@audit.command()
@click.argument("tenant", required=False)
@click.option("--output", type=FILE, required=True, help="A file that does not exist yet.")
def chain(tenant: str | None, output: Path) -> None:
    """Copy TENANT's whole chain to a file that verifies by itself; without TENANT all chains."""
    asyncio.run(_chain(tenant, output))


@audit.command()
@click.argument("named", metavar="TENANT/NUMBER")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="A new folder or .zip file.")
def export(named: str, output: Path) -> None:
    """Write a ticket's evidence as a bundle that an auditor verifies without us."""
    asyncio.run(_export(named, output))


def _of_copy(copy: Path, kept: Sequence[str], key: str | None) -> Iterator[Finding]:
    try:
        with copy.open(encoding="utf-8") as lines:
            yield from check_copy(lines, kept, key)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise click.ClickException(f"{copy.name!r} or the kept heads cannot be read") from None


def _lines(path: Path) -> Sequence[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise click.ClickException(f"File {path.name!r} is not UTF-8 text") from None


def _report(findings: Iterator[Finding] | Sequence[Finding]) -> int:
    found = 0
    for finding in findings:
        found += 1
        click.echo(str(finding))
    click.echo(f"{found} findings" if found else "intact")
    return 1 if found else 0


async def _verify(tenant: str | None, kept: Sequence[str]) -> Sequence[Finding]:
    async with connected() as system, _sealing(system.settings) as (database, signer):
        tenant_id = await system.tenant(tenant) if tenant else None
        tenants = [tenant_id] if tenant_id else await _known_tenants(system.settings)
        async with _records(database, tenant_id) as records:
            try:
                found = [
                    finding
                    async for finding in check_live(
                        records,
                        signer,
                        scope=str(tenant_id or EVERYTHING),
                        kept=kept,
                        tenants=map(str, tenants),
                        progress=_progress,
                    )
                ]
            except ValueError as error:
                raise click.ClickException(f"The heads cannot be used: {error}") from None
            tenants = tenants or [UUID(stream) for stream in await records.streams()]
        return found + [finding async for finding in disagreements(system, database, tenants)]


async def _heads() -> None:
    async with _sealing(running_settings()) as (database, signer):
        await _seal(database, signer)
        async with _records(database) as records:
            newest = await records.newest_heads()
    for head in newest:
        click.echo(line_of(head), nl=False)


async def _chain(tenant: str | None, output: Path) -> None:
    async with connected() as system, _sealing(system.settings) as (database, signer):
        tenant_id = await system.tenant(tenant) if tenant else None
        await _seal(database, signer)
        async with _records(database, tenant_id) as records:
            await _write(copy_lines(records, signer, str(tenant_id or EVERYTHING)), output)
    click.echo(f"Written to {output}. Verify it: {own_command()} audit verify --file {output}")


async def _write(lines: AsyncIterator[str], output: Path) -> None:
    with output.open("x", encoding="utf-8") as file:
        async for line in lines:
            file.write(line)


async def _export(named: str, output: Path) -> None:
    async with connected() as system, _sealing(system.settings) as (database, signer):
        await _seal(database, signer)
        ticket = await system.ticket(named)
        if await system.tickets.one(ticket) is None:
            raise click.ClickException(f"Nobody has worked on ticket {named!r} yet")
        maker = BundleMaker(
            TicketEvidence(system.app, database),
            PostgresArtifacts(system.app, system.keys),
            await system.histories(),
            system.keys,
            signer,
        )
        files = await maker.files(ticket)
    write_bundle(files, output)
    click.echo(f"{len(files)} files in {output}. An auditor runs `python verify_bundle.py` in it")
    click.echo(f"The key to be trusted is {signer.key_id}")


@asynccontextmanager
async def _sealing(settings: Settings) -> AsyncIterator[tuple[Database, AuditSigner]]:
    """The sealer's database and its key."""
    url = needed(settings.sealer_database_url, "COUNTERSIGN_SEALER_DATABASE_URL")
    database = Database(url, pool_size=1)
    try:
        yield database, audit_signer(master_key_of(settings))
    finally:
        await database.close()


@asynccontextmanager
async def _records(database: Database, tenant_id: UUID | None = None) -> AsyncIterator[AuditRecords]:
    """One state of the chain, however long it is read."""
    async with database.across_tenants() as session:
        await session.execute(SNAPSHOT)
        await session.execute(PATIENTLY)
        yield AuditRecords(session, tenant_id)


async def _seal(database: Database, signer: AuditSigner) -> None:
    """What waits is worth showing too; where a worker seals already there is nothing to do."""
    sealer = Sealer(database, signer)
    while await sealer.round():
        pass


async def _known_tenants(settings: Settings) -> Sequence[UUID]:
    """Those that are registered, where this person may list them."""
    if settings.owner_database_url is None:
        return []
    owner = Database(settings.owner_database_url.get_secret_value(), pool_size=1)
    try:
        return [tenant.tenant_id for tenant in await listed_tenants(owner)]
    finally:
        await owner.close()


def _progress(links: int) -> None:
    click.echo(f"{links} events read", err=True)
