"""Runs the texts of any file through the whole system and accounts for every one."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.connected import Connected
from cli.demo_watch import Ending, Sent, Watch
from cli.demo_world import Emulators

BATCH = 50
TENANT = "harbour_books"
PER_TICKET_S = 3.0
AT_LEAST_S = 120.0
LOOK_EVERY_S = 1.0
SAY_EVERY_S = 10.0
SUBJECT = "Question"
BROKEN = "error"


async def run_file(console: Console, system: Connected, emulators: Emulators, file: Path) -> bool:
    """Every text in exactly one outcome; True where one was lost or broke something."""
    texts = texts_of(file)
    console.print(f"{len(texts)} texts from {file.name} go to {TENANT}")
    sent = [entry for batch in _batches(texts) for entry in await _send(system, emulators, batch)]
    endings = await _watch(console, Watch(system, sent), len(sent))
    return await _account(console, system, len(texts), endings)


def texts_of(file: Path) -> Sequence[str]:
    """Raises a sentence where a line is not what it should be."""
    texts = []
    for number, line in enumerate(_content(file).splitlines(), 1):
        if line.strip():
            texts.append(_text(file, number, line))
    if not texts:
        raise click.ClickException(f"{file.name} holds no text. Write one JSON object with `text` per line")
    return texts


def _content(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise click.ClickException(f"{file.name} is not UTF-8. Save it as UTF-8") from None


def _text(file: Path, number: int, line: str) -> str:
    try:
        row: Any = json.loads(line)
        text = row["text"]
    except (ValueError, KeyError, TypeError):
        text = None
    if not isinstance(text, str) or not text.strip():
        raise click.ClickException(f"Line {number} of {file.name} is no JSON object with a `text`")
    return text


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), BATCH):
        yield texts[start : start + BATCH]


async def _send(system: Connected, emulators: Emulators, texts: Sequence[str]) -> list[Sent]:
    tickets = [_ticket(text) for text in texts]
    opened = await emulators.ask("POST", "/tickets", {"tickets": tickets})
    names = [str(ticket["id"]) for ticket in opened["tickets"]]
    return [Sent(TENANT, name, await system.ticket(f"{TENANT}/{name}")) for name in names]


def _ticket(text: str) -> Mapping[str, object]:
    requester = {"name": "Robin Vale", "email": "robin.vale@example.com"}
    return {"brand": TENANT, "subject": SUBJECT, "body": text, "requester": requester}


async def _watch(console: Console, watch: Watch, total: int) -> Sequence[tuple[Sent, Ending]]:
    endings: list[tuple[Sent, Ending]] = []
    last_said = monotonic()
    until = monotonic() + max(AT_LEAST_S, total * PER_TICKET_S)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Tickets at rest", total=total)
        while watch.unfinished and monotonic() < until:
            endings += (await watch.look())[0]
            progress.update(bar, completed=len(endings))
            last_said = _say(console, len(endings), total, last_said)
            await asyncio.sleep(LOOK_EVERY_S)
    return endings


def _say(console: Console, done: int, total: int, last_said: float) -> float:
    """A pipe or a file shows no bar, so it gets a line now and then."""
    if console.is_terminal or monotonic() - last_said < SAY_EVERY_S:
        return last_said
    console.print(f"{done} of {total} at rest")
    return monotonic()


async def _account(
    console: Console, system: Connected, sent: int, endings: Sequence[tuple[Sent, Ending]]
) -> bool:
    counted = Counter(
        (ending.line.outcome or ending.line.stage, ending.line.reason or "") for _, ending in endings
    )
    table = Table("outcome", "because", "tickets", box=None)
    for (outcome, because), tickets in counted.most_common():
        table.add_row(str(outcome), because, str(tickets))
    lost = sent - len(endings)
    broken = sum(tickets for (_, because), tickets in counted.items() if because == BROKEN)
    running = await _still_running(system)
    console.print(table)
    console.print(
        f"{sent} sent, {len(endings)} accounted for, {lost} lost, {broken} errors, {running} workflows open"
    )
    return bool(lost or broken or running)


async def _still_running(system: Connected) -> int:
    """Visibility is a moment late, so a run that just closed is looked at again."""
    client = await system.temporal()
    count = 0
    for _ in range(20):
        count = (await client.count_workflows("ExecutionStatus = 'Running'")).count
        if not count:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    return count
