"""Each alarm leads to a runbook with the same parts, and a runbook names only commands that exist."""

import importlib
import re
from collections.abc import Iterable
from pathlib import Path

import click
import pytest

from cli.__main__ import COMMANDS
from cli.alarms import ALARMS, RUNBOOKS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / RUNBOOKS
SPAN = re.compile(r"`countersign ([^`]+)`")
PARTS = ("You see", "It means", "Do", "It is over", "Do not")


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def unknown_commands(text: str) -> list[str]:
    """Spans whose command, or one of its options, does not exist."""
    return [span for span in SPAN.findall(text) if not _exists(span.split())]


def _exists(words: list[str]) -> bool:
    if words[0] not in COMMANDS:
        return False
    command: click.Command = getattr(importlib.import_module(f"cli.{words[0]}"), words[0])
    rest = words[1:]
    while isinstance(command, click.Group):
        found = command.commands.get(rest[0]) if rest else None
        if found is None:
            return False
        command, rest = found, rest[1:]
    return {word for word in rest if word.startswith("--")} <= set(_options(command))


def _options(command: click.Command) -> Iterable[str]:
    return (option for parameter in command.params for option in parameter.opts)


def test_each_alarm_has_its_section_and_each_section_its_alarm() -> None:
    assert list(sections(PAGE.read_text())) == [alarm.name for alarm in ALARMS]


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_each_section_says_the_same_things_in_the_same_order(alarm: object) -> None:
    text = sections(PAGE.read_text())[alarm.name]  # type: ignore[attr-defined]

    assert tuple(re.findall(r"^\*\*(.+?)\*\* ", text, re.MULTILINE)) == PARTS


def test_every_command_in_runbooks_and_remedies_exists() -> None:
    said = PAGE.read_text() + "".join(alarm.remedy for alarm in ALARMS)

    assert SPAN.findall(said)
    assert unknown_commands(said) == []


@pytest.mark.parametrize(
    "span", ["fix", "inbox", "inbox repair", "inbox list --really", "ticket list TENANT --force"]
)
def test_a_command_that_does_not_exist_is_found(span: str) -> None:
    assert unknown_commands(f"Run `countersign {span}` now") == [span]
