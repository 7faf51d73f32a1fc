"""`countersign policy test`: tables and Rego tests of policies, and which rules they cover."""

from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from adapters import regorus
from adapters.policy.coverage import Covered, covered
from adapters.policy.effective import Effective, alone
from adapters.policy.file import read_file
from adapters.policy.plain import PlainEngine
from adapters.policy.tables import POLICY, DocumentEngine, Table, run, tables
from adapters.rego_tests import LIBRARY, run_rego_tests

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
ENGINES: dict[str, Callable[[Effective], DocumentEngine]] = {"regorus": regorus.load, "plain": PlainEngine}
Result = tuple[str, str | None]


@click.command()
@click.option("--tables", "folder", type=FOLDER, default=None, help="Tables and *_test.rego of your own.")
@click.option("--require-coverage", is_flag=True, help="Every rule must decide some row.")
def test(folder: Path | None, require_coverage: bool) -> None:  # noqa: FBT001 - click's
    """Run tables through both engines and Rego tests; without --tables, those of the starter packs.

    Ends with 1 where one fails, where there are none, or where a rule is not covered and must be.
    """
    found = [*tables(folder)]
    results = [*_rego(folder), *_rows(found)]
    for name, failure in results:
        if failure:
            click.echo(f"FAILED  {name}: {failure}")
    policies = [*covered(table for _, table in found)]
    for each in policies:
        click.echo("\n".join(_in_words(each)))
    failed = sum(1 for _, failure in results if failure)
    click.echo(f"{len(results) - failed} passed, {failed} failed")
    uncovered = require_coverage and (not policies or any(each.never for each in policies))
    if failed or not results or uncovered:
        raise click.exceptions.Exit(1)


def _rego(folder: Path | None) -> Iterator[Result]:
    yield from ((f"{LIBRARY.name}/{name}", failure) for name, failure in run_rego_tests())
    if folder is not None:
        beside = (place / POLICY for place in (folder, folder.resolve().parent))
        own = next((file for file in beside if file.exists()), None)
        policy = alone(read_file(own)) if own is not None else None
        yield from ((f"{folder.name}/{name}", failure) for name, failure in run_rego_tests(folder, policy))


def _rows(found: list[tuple[str, Table]]) -> Iterator[Result]:
    shown = Console(stderr=True)
    for name, table in track(
        found, "Running tables", console=shown, transient=True, disable=not shown.is_terminal
    ):
        for engine, make in ENGINES.items():
            for outcome in run(table, make):
                yield f"{name} ({engine}): {outcome.note}", outcome.failure


def _in_words(each: Covered) -> Iterator[str]:
    yield f"{each.name}: {len(each.rules) - len(each.never)} of {len(each.rules)} rules decide some row"
    yield from (f"NEVER DECIDES  {each.name}: {rule}" for rule in each.never)
