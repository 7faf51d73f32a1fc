"""The figures as a table: for a terminal, and for README."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table

from bench.figures import Row

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
HEADS = ("per ticket", "six no-op steps", "answered ticket", "ratio")


def rich_table(rows: Sequence[Row]) -> Table:
    """For a terminal."""
    table = Table(*HEADS, "of the rounds", box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        low, high = row.spread
        table.add_row(
            _plain(row.name), *_cells(row), f"{low:.2f}–{high:.2f}", style="bold" if "**" in row.name else ""
        )
    return table


def markdown(rows: Sequence[Row], said: str) -> str:
    """Between its markers, ready to be pasted."""
    lines = [
        BEGIN,
        f"| {' | '.join(HEADS)} |",
        "|---|---:|---:|---:|",
        *(f"| {row.name} | {' | '.join(_cells(row))} |" for row in rows),
        "",
        said,
        END,
    ]
    return "\n".join(lines)


def write(file: Path, block: str) -> None:
    """Replaces what is between the markers."""
    text = file.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise click.ClickException(f"{file.name} has no place for the table. Put {BEGIN} and {END} into it")
    file.write_text(before + block + after, "utf-8")


def _cells(row: Row) -> tuple[str, str, str]:
    return f"{row.no_op:,.{row.digits}f}", f"{row.ticket:,.{row.digits}f}", f"{row.ratio:.2f} ×"


def _plain(name: str) -> str:
    return name.replace("**", "")
