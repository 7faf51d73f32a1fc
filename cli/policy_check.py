"""`countersign policy check`: says what is wrong with a policy before anybody relies on it."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from rich.console import Console

from adapters.policy.bundle import Bundle, Level
from adapters.policy.effective import effective
from adapters.policy.file import read_file
from adapters.policy.lint import Finding, Severity, lint
from adapters.policy.smoke import smoke
from adapters.policy.yaml_file import composed, line_of, read_text

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--level", type=click.Choice([*map(str, Level)]), default="tenant", show_default=True, help="FILE's."
)
@click.option("--organisation", type=FILE, default=None, help="The organisation's policy above it.")
@click.option("--agent", type=FILE, default=None, help="The agent's policy below it.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--format", "as_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check(file: Path, level: str, strict: bool, as_: str, **others: Path | None) -> None:  # noqa: FBT001 - click's
    """Read FILE, look for what is wrong or odd, and try every rule on both engines.

    Ends with 1 where there is an error, or a warning with --strict. Asks no database.
    """
    files = _by_level(file, Level(level), {Level(name): path for name, path in others.items()})
    bundles = {level: read_file(path) for level, path in files.items()}
    found = lint(bundles)
    with Console(stderr=True).status("Trying every rule on both engines"):
        asyncio.run(smoke(effective(bundles)))
    click.echo(_as_json(files, found) if as_ == "json" else "\n".join(_in_words(files, bundles, found)))
    if any(strict or finding.severity is Severity.ERROR for finding in found):
        raise click.exceptions.Exit(1)


def _by_level(file: Path, level: Level, others: Mapping[Level, Path | None]) -> dict[Level, Path]:
    if others.get(level) is not None:
        raise click.UsageError(f"FILE is the {level}'s policy, so --{level} says it twice")
    given = {**others, level: file}
    return {each: path for each in Level if (path := given.get(each)) is not None}


def _in_words(
    files: Mapping[Level, Path], bundles: Mapping[Level, Bundle], found: tuple[Finding, ...]
) -> Iterator[str]:
    for finding, line in _with_lines(files, found):
        place = f"{files[finding.level]}:{line}"
        yield f"{place}: {finding.severity} {finding.code}: {finding.sentence}; {finding.suggestion}"
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    rules = sum(len(bundle.rules) for bundle in bundles.values())
    yield f"{_many(rules, 'rule')} tried, {_many(errors, 'error')}, {_many(len(found) - errors, 'warning')}"


def _as_json(files: Mapping[Level, Path], found: tuple[Finding, ...]) -> str:
    listed = [
        {
            "file": str(files[finding.level]),
            "line": line,
            "level": finding.level,
            "severity": finding.severity,
            "code": finding.code,
            "rule": finding.rule,
            "sentence": finding.sentence,
            "suggestion": finding.suggestion,
        }
        for finding, line in _with_lines(files, found)
    ]
    return json.dumps(listed, indent=2)


def _with_lines(files: Mapping[Level, Path], found: tuple[Finding, ...]) -> Iterator[tuple[Finding, int]]:
    roots = {level: composed(read_text(path)) for level, path in files.items()}
    placed = [(finding, line_of(roots[finding.level], finding.place)) for finding in found]
    yield from sorted(placed, key=lambda each: ([*Level].index(each[0].level), each[1]))


def _many(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
