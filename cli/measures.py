"""`countersign measures`: what tickets took and how they ended, to be reckoned again from an export."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click
from rich.table import Table

from adapters.http import utc_now
from adapters.postgres.measures import MeasuredTickets
from cli.connected import connected
from cli.inbox import Age
from cli.terminal import console
from domain.measures import Measures, Share, TicketRecord, measures_of


@click.command()
@click.argument("tenant")
@click.option("--since", type=Age(), default=timedelta(days=30), help="Tickets opened within this time: 30d")
@click.option(
    "--export",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write each ticket's outcomes and measures, one JSON object a line",
)
def measures(tenant: str, since: timedelta, file: Path | None) -> None:
    """Numbers of TENANT: how fast, how often without a person, how often wrong."""
    asyncio.run(_measures(tenant, since, file))


async def _measures(tenant: str, since: timedelta, file: Path | None) -> None:
    try:
        begin = utc_now() - since
    except OverflowError:
        raise click.BadParameter("That is before there were tickets. Write it as 30d") from None
    async with connected() as system:
        records = await MeasuredTickets(system.app).since(await system.tenant(tenant), begin)
    if file is not None:
        await asyncio.to_thread(file.write_text, exported(records), "utf-8")
    shown = Table("measure", "value", "of", box=None)
    for row in rows(measures_of(records)):
        shown.add_row(*row)
    console().print(shown)
    if file is not None:
        console().print(f"{len(records)} tickets are written to {file}")


def exported(records: Sequence[TicketRecord]) -> str:
    """JSON lines with opaque ids only."""
    return "".join(f"{record.model_dump_json()}\n" for record in records)


def rows(measured: Measures) -> Sequence[tuple[str, str, str]]:
    """As a person reads them."""
    tickets = f"{measured.worked} tickets"
    judged = measured.handoffs_right
    return [
        ("tickets opened", str(measured.tickets), ""),
        ("first response P50", _time(measured.first_response_p50_ms), ""),
        ("first response P95", _time(measured.first_response_p95_ms), ""),
        ("handle time P50", _time(measured.handle_p50_ms), ""),
        ("handle time P95", _time(measured.handle_p95_ms), ""),
        ("contained", _percent(measured.contained), tickets),
        ("escalated", _percent(measured.escalated), tickets),
        ("recontacted", _percent(measured.recontacted), f"{measured.recontacted.whole} answered tickets"),
        ("reopened", _percent(measured.reopened), f"{measured.reopened.whole} answered tickets"),
        (
            "approved unchanged",
            _percent(measured.approved_unchanged),
            f"{measured.approved_unchanged.whole} turns that a person answered",
        ),
        ("handoffs judged right", str(judged.part), f"{judged.whole} judged"),
        ("handoffs judged wrong", str(judged.whole - judged.part), f"{judged.whole} judged"),
        (
            "median edit distance",
            _permille(measured.edit_distance_p50_permille),
            f"{measured.edits} edited drafts",
        ),
    ]


def _percent(share: Share) -> str:
    return _permille(share.permille)


def _permille(permille: int | None) -> str:
    return "–" if permille is None else f"{permille / 10:.1f} %"


def _time(milliseconds: int | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds / 1000:.1f} s"
