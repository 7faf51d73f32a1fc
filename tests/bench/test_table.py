"""The table as a person pastes or writes it."""

from pathlib import Path

import click
import pytest
from rich.console import Console

from bench.figures import Row
from bench.table import POLICY, RELOADS, TICKETS, Shape, markdown, rich_table, write

ROWS = [Row("tickets/s", ticket=7.24, no_op=11.3, ratios=[0.6, 0.64, 0.7], digits=1)]


def test_no_figure_stands_without_its_ratio() -> None:
    block = markdown(ROWS, "Measured here.")

    assert "| tickets/s | 11.3 | 7.2 | 0.64 × |" in block.splitlines()


def test_the_terminal_also_sees_how_far_the_rounds_lie_apart() -> None:
    console = Console(record=True, width=120)
    console.print(rich_table(ROWS))

    assert "0.60–0.70" in console.export_text()


@pytest.mark.parametrize("shape", [TICKETS, POLICY, RELOADS])
def test_writing_again_replaces_the_table_and_nothing_else(shape: Shape, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(f"before\n{shape.begin}\nold\n{shape.end}\nafter\n")

    for said in ("first", "second"):
        write(file, markdown(ROWS, said, shape), shape)

    text = file.read_text()
    assert (text.startswith("before\n"), text.endswith("\nafter\n")) == (True, True)
    assert (text.count(shape.begin), "old" in text, "first" in text, "second" in text) == (
        1,
        False,
        False,
        True,
    )


def test_a_file_without_markers_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("words")

    with pytest.raises(click.ClickException, match="no place for the table"):
        write(file, markdown(ROWS, ""))

    assert file.read_text() == "words"
