"""The figures as a table: for a terminal, and for README."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.table import Table

from bench.figures import Row


@dataclass(frozen=True)
class Shape:
    """What a table compares, and the name of its place in README."""

    place: str
    heads: tuple[str, str, str, str]

    @property
    def begin(self) -> str:
        """The marker before it."""
        return f"<!-- {self.place} -->"

    @property
    def end(self) -> str:
        """The marker behind it."""
        return f"<!-- /{self.place} -->"


TICKETS = Shape("bench", ("per ticket", "six no-op steps", "answered ticket", "ratio"))
POLICY = Shape("bench policy", ("per decision", "by hand in Python", "policy in Rego", "ratio"))
RELOADS = Shape("bench reloads", ("per decision while", "undisturbed", "policies change", "ratio"))


def rich_table(rows: Sequence[Row], shape: Shape = TICKETS) -> Table:
    """For a terminal."""
    table = Table(*shape.heads, "of the rounds", box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        low, high = row.spread
        table.add_row(
            _plain(row.name), *_cells(row), f"{low:.2f}–{high:.2f}", style="bold" if "**" in row.name else ""
        )
    return table


def markdown(rows: Sequence[Row], said: str, shape: Shape = TICKETS) -> str:
    """Between its markers, ready to be pasted."""
    lines = [
        shape.begin,
        f"| {' | '.join(shape.heads)} |",
        "|---|---:|---:|---:|",
        *(f"| {row.name} | {' | '.join(_cells(row))} |" for row in rows),
        "",
        said,
        shape.end,
    ]
    return "\n".join(lines)


def write(file: Path, block: str, shape: Shape = TICKETS) -> None:
    """Replaces what is between the markers."""
    text = file.read_text("utf-8")
    before, begin, rest = text.partition(shape.begin)
    _, end, after = rest.partition(shape.end)
    if not (begin and end):
        markers = f"{shape.begin} and {shape.end}"
        raise click.ClickException(f"{file.name} has no place for the table. Put {markers} into it")
    file.write_text(before + block + after, "utf-8")


def _cells(row: Row) -> tuple[str, str, str]:
    return f"{row.no_op:,.{row.digits}f}", f"{row.ticket:,.{row.digits}f}", f"{row.ratio:.2f} ×"


def _plain(name: str) -> str:
    return name.replace("**", "")
