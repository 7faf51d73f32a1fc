"""`countersign policy list` and `diff`: what was published, by whom and why, and what changed."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.table import Table

from adapters.policy.bundle import Bundle, Level
from adapters.policy.differences import differences
from adapters.policy.file import read_file
from adapters.policy.stricter import loosened
from adapters.postgres.policy_register import Listed
from cli.policy_places import PlaceUnclear, Whose, maybe_place_options, place_options, policies_of, short
from cli.terminal import console

WHEN = "%Y-%m-%d %H:%M"


@click.command(name="list")
@place_options
def list_(whose: Whose) -> None:
    """Name every published version, newest first, with who wrote and read it and why."""
    listed = asyncio.run(_list(whose))
    if not listed:
        click.echo("Nothing is published yet. `countersign policy publish FILE` does")
        return
    table = Table("version", "level", "is", "published", "author", "reviewers", "tested", "reason", box=None)
    for each in listed:
        table.add_row(*_row(each))
    console().print(table, markup=False)


@click.command()
@click.argument("before")
@click.argument("after")
@maybe_place_options
def diff(before: str, after: str, whose: Whose | None) -> None:
    """Compare two policies: each of BEFORE and AFTER is a file, or the beginning of a published version.

    For a version, name its place with --tenant, --organisation or --agent. Says field by field what changed,
    and what of it may lower enforcement.
    """
    files = [Path(name) if Path(name).is_file() else None for name in (before, after)]
    if whose is None and None in files:
        raise PlaceUnclear
    old, new = asyncio.run(_read([before, after], files, whose))
    level = whose.level if whose else Level.TENANT
    told = [each.said() for each in differences(old, new)]
    told += [f"May lower enforcement: {each.sentence}" for each in loosened({level: old}, {level: new})]
    click.echo("\n".join(told) or "Both mean the same")


async def _list(whose: Whose) -> Sequence[Listed]:
    async with policies_of(whose) as policies:
        listed = await policies.stores.register.listed(policies.place.tenant_id)
    return [each for each in listed if whose.agent in (None, each.agent)]


async def _read(names: Sequence[str], files: Sequence[Path | None], whose: Whose | None) -> list[Bundle]:
    if whose is None or None not in files:
        return [read_file(file) for file in files if file is not None]
    async with policies_of(whose) as policies:
        register, place = policies.stores.register, policies.place
        return [
            read_file(file)
            if file is not None
            else await register.file(place, (await register.find(place, name)).version)
            for name, file in zip(names, files, strict=True)
        ]


def _row(each: Listed) -> Iterator[str]:
    published = each.publication
    yield short(each.version)
    yield f"{each.level} {each.agent}".strip()
    yield " and ".join(each.kinds)
    yield f"{each.published_at:{WHEN}}"
    yield published.author or "not known"
    yield ", ".join(published.reviewers)
    yield f"{published.test_run.rows} rows" if published.test_run else "no"
    yield published.reason
