"""`countersign policy activate` and `candidate`: move the pointers to published versions."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from adapters.postgres.policy_moves import Moved
from adapters.postgres.policy_moves import Progress as Advance
from cli.policy_places import Whose, place_options, policies_of, short
from cli.policy_shadow import observation_of


@click.command()
@click.argument("version")
@place_options
@click.option("--by", required=True, help="Who puts it in force, with the role compliance or admin.")
@click.option("--second", help="Another such person, where it may lower enforcement.")
def activate(
    version: str,
    whose: Whose,
    by: str,
    second: str | None,
) -> None:
    """Put a published VERSION in force from the next decision on; its beginning is enough.

    What may lower enforcement for anybody takes two people. An older version may be put in force again.
    """
    moved, observed = asyncio.run(_activate(whose, version, by, second))
    if not moved.changed:
        click.echo(f"Version {short(moved.version)} is in force for {whose.words} already. Nothing changed")
        return
    click.echo(f"In force for {whose.words}: version {short(moved.version)} instead of {short(moved.before)}")
    for found in moved.loosened:
        click.echo(f"  may lower enforcement, as two people agreed: {found.sentence}")
    for sentence in observed:
        click.echo(f"  {sentence}")


@click.command()
@click.argument("version", required=False)
@click.option("--none", "ended", is_flag=True, help="End the trial.")
@place_options
@click.option("--by", required=True, help="Who tries it, with the role compliance or admin.")
def candidate(
    version: str | None,
    ended: bool,  # noqa: FBT001 - click's signature
    whose: Whose,
    by: str,
) -> None:
    """Try a published VERSION beside what is in force: it is asked about everything and decides nothing."""
    if ended == bool(version):
        raise click.UsageError("Write a VERSION, or --none to end the trial")
    moved = asyncio.run(_try_out(whose, version, by))
    if version:
        click.echo(f"Version {short(moved.version)} is tried for {whose.words}. It decides nothing")
    else:
        click.echo(f"Nothing is tried for {whose.words} any more")


async def _activate(whose: Whose, version: str, by: str, second: str | None) -> tuple[Moved, Sequence[str]]:
    async with policies_of(whose) as policies:
        found = await policies.stores.register.find(policies.place, version)
        movers = await policies.movers(by, second)
        observed = await observation_of(policies, found.version)
        with _bar() as advance:
            moved = await policies.stores.moves.activate(policies.place, found.version, movers, advance)
        return moved, observed


async def _try_out(whose: Whose, version: str | None, by: str) -> Moved:
    async with policies_of(whose) as policies:
        found = (await policies.stores.register.find(policies.place, version)).version if version else None
        person = await policies.person(by)
        return await policies.stores.moves.try_out(policies.place, found, person)


@contextmanager
def _bar() -> Iterator[Advance]:
    """Tenants for which the change was judged."""
    columns = (TextColumn("Judging the change"), BarColumn(), MofNCompleteColumn(), TextColumn("tenants"))
    shown = Console(stderr=True)
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)
