"""`countersign demo`: the whole system with three shops, their tickets, and one thing for you to do."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

import click
from rich.console import Console

from adapters.settings import Settings
from cli.connected import Connected, connected
from cli.demo_account import Played, account, sentence
from cli.demo_bulk import run_file, texts_of
from cli.demo_data import TENANTS, tickets
from cli.demo_story import Story, Theatre, send
from cli.demo_watch import Ending, Feed, Lookout, Sent
from cli.demo_world import Emulators, build, next_run, policy_file, renumbered
from cli.processes import Stack, StackOptions
from cli.tenant_login import login_address
from cli.terminal import console, own_command
from cli.up import addresses, running_stack
from domain.ticket import Stage

EVERY_TICKET_WITHIN_S = 180.0  # one of them waits a minute for an answer that nobody gives
ACKNOWLEDGE_WITHIN_S = 20
LOOK_EVERY_S = 0.25
RECONTACT_WINDOW_S = 3 * 24 * 3600
# An order that no ticket of ours names, for a ticket of the person's own.
TRY_AS = "ida.holm@example.com"
TRY_ORDER = "HB-20772"
TEAMMATE = "Marta Lind"


@click.command()
@click.option("--once", is_flag=True, help="Vote without a person, print a table and exit.")
@click.option(
    "--tickets",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Run the texts of a JSON Lines file (field `text`) instead of our own tickets.",
)
@click.option("--workers", type=click.IntRange(1, 8), default=1, show_default=True)
def demo(*, once: bool, file: Path | None, workers: int) -> None:
    """The whole system with three shops, their tickets, and one thing for you to do."""
    shown = console()
    by_itself = once or file is not None or not shown.is_terminal
    if file is not None:
        texts_of(file)  # a minute of starting servers is too long to wait for "line 3 is wrong"
    failed = asyncio.run(
        _demo(shown, StackOptions(workers=workers, emulators=True), file, by_itself=by_itself)
    )
    if failed:
        raise click.exceptions.Exit(1)


async def _demo(shown: Console, options: StackOptions, file: Path | None, *, by_itself: bool) -> bool:
    async with running_stack(Settings(), options, shown) as (stack, stopped):
        if not by_itself:
            await _interactive(shown, stack, stopped)
            return False
        run = next_run(stack.home)
        promise = ACKNOWLEDGE_WITHIN_S if file is None else None
        emulators = await build(
            stack, recontact_window_s=0, policies={}, run=run, acknowledge_within_s=promise
        )
        async with connected(stack.settings) as system:
            if file is not None:
                return await run_file(shown, system, emulators, file)
            return await _once(shown, system, emulators, run, stopped)


async def _once(
    shown: Console, system: Connected, emulators: Emulators, run: int, stopped: asyncio.Event
) -> bool:
    """Every ticket of ours, votes included; True where one did not end as expected."""
    theatre = await _theatre(shown, system, emulators, run)
    stories = await _send_all(theatre)
    playing = [asyncio.create_task(_played(shown, story)) for story in stories]
    await _over(playing, stopped)
    late = [story.sent.name for story, task in zip(stories, playing, strict=True) if task.cancel()]
    played = [
        task.result() for story, task in zip(stories, playing, strict=True) if story.sent.name not in late
    ]
    if late:
        shown.print(f"Not at rest: {', '.join(late)}", soft_wrap=True)
    else:
        await _quiet(emulators, stories)
    return await account(shown, emulators, played) or bool(late)


async def _watched(shown: Console, story: Story) -> None:
    """With a line at the end for what a list of tickets does not tell."""
    ending = await story.play()
    if ending is not None and story.ticket.says:
        shown.print(f"  {story.sent.name}  {Played(story, ending).sentence}", soft_wrap=True)


async def _over(playing: Sequence[asyncio.Task[Played]], stopped: asyncio.Event) -> None:
    """Once all are at rest, one has failed, somebody stops the demo, or it takes too long."""
    all_of_them = asyncio.gather(*playing)
    asked_to_stop = asyncio.create_task(stopped.wait())
    either: list[asyncio.Future[Any]] = [all_of_them, asked_to_stop]
    await asyncio.wait(either, timeout=EVERY_TICKET_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
    asked_to_stop.cancel()
    if all_of_them.done():
        all_of_them.result()


async def _played(shown: Console, story: Story) -> Played:
    """With a line in the terminal."""
    ending = await story.play()
    if ending is None:
        raise RuntimeError(story.sent.name)
    played = Played(story, ending)
    shown.print(f"  {story.sent.name}  {played.sentence}", soft_wrap=True)
    return played


async def _quiet(emulators: Emulators, stories: Sequence[Story]) -> None:
    """Until every announcement, the late copies too, has arrived."""
    ours = {(story.sent.tenant, story.sent.number) for story in stories}
    while True:
        hooks = (await emulators.ask("GET", "/state"))["webhooks"]
        if all(hook["state"] == "delivered" for hook in hooks if (hook["brand"], hook["ticket_id"]) in ours):
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def _theatre(
    shown: Console, system: Connected, emulators: Emulators, run: int, *, votes: bool = True
) -> Theatre:
    def told(entry: Sent, what: str) -> None:
        shown.print(f"  {entry.name}  {what}", soft_wrap=True)

    lookout = Lookout(system, [await system.tenant(name) for name in TENANTS])
    return Theatre(system, await system.temporal(), emulators, lookout, told, run, votes)


async def _send_all(theatre: Theatre) -> Sequence[Story]:
    stories: dict[str, Story] = {}
    for ticket in tickets():
        stories[ticket.name] = await send(theatre, ticket, stories)
    return list(stories.values())


async def _interactive(shown: Console, stack: Stack, stopped: asyncio.Event) -> None:
    policies = {tenant: policy_file(stack.home, tenant) for tenant in TENANTS}
    run = next_run(stack.home)
    emulators = await build(
        stack,
        recontact_window_s=RECONTACT_WINDOW_S,
        policies=policies,
        run=run,
        acknowledge_within_s=ACKNOWLEDGE_WITHIN_S,
    )
    for line in addresses(stack, Settings()):
        shown.print(line)
    link = await login_address(stack.settings, TENANTS[0], TEAMMATE)
    shown.print(f"The queue, as {TEAMMATE} (once, within 15 minutes): {link}", soft_wrap=True)
    async with connected(stack.settings) as system:
        theatre = await _theatre(shown, system, emulators, run, votes=False)
        stories = await _send_all(theatre)
        playing = [asyncio.create_task(_watched(shown, story)) for story in stories]
        names = {await system.tenant(name): name for name in TENANTS}
        feed = Feed(system, names, [story.sent for story in stories])
        try:
            await _tell(shown, feed, playing, _instruction(stack, run), stopped)
        finally:
            for task in playing:
                task.cancel()


async def _tell(
    shown: Console,
    feed: Feed,
    playing: Sequence[asyncio.Task[None]],
    instruction: str,
    stopped: asyncio.Event,
) -> None:
    """A line for each ticket that rests or waits; once ours only wait for people, what to do."""
    waiting: set[str] = set()
    was_working = True
    while not stopped.is_set():
        is_working = sum(_goes_on(task) for task in playing) > 0
        for entry, ending in await feed.look():
            shown.print(_sentence(entry, ending))
            if ending.line.stage == Stage.WAITING_FOR_APPROVAL:
                waiting.add(entry.name)
            elif entry.name in waiting or not was_working:
                waiting.discard(entry.name)
                for line in _done(ending):
                    shown.print(f"    {line}")
                shown.print(f"    The story: [bold]{own_command()} ticket trace {entry.name}[/bold]")
        if was_working and not is_working:
            shown.print(instruction)
        was_working = is_working
        await asyncio.sleep(LOOK_EVERY_S)


def _goes_on(playing: asyncio.Task[None]) -> bool:
    """Raises what went wrong in a story."""
    if playing.done():
        playing.result()
    return not playing.done()


def _done(ending: Ending) -> Iterator[str]:
    """What left, with the other side's own number of it."""
    for effect in ending.effects:
        if effect.type in {"refund", "reply"}:
            yield f"{effect.type} {effect.state}{f', {effect.receipt}' if effect.receipt else ''}"


def _instruction(stack: Stack, run: int) -> str:
    """What to do first, and what to try then."""
    file = policy_file(stack.home, TENANTS[0])
    return (
        f"\n[bold]Open {stack.emulators_url} and approve a waiting refund in Slack.[/bold]\n\n"
        f"Then change 50.00 to 20.00 in {file}\n"
        f"and run [bold]{own_command()} policy load {quote(str(file))} --tenant {TENANTS[0]}[/bold]\n"
        f"The next small refund waits for you too: write a *New ticket* at {stack.emulators_url},\n"
        f"as {TRY_AS} about the damaged book of order {renumbered(TRY_ORDER, run)}.\n\n"
        "Ctrl-C stops everything.\n"
    )


def _sentence(entry: Sent, ending: Ending) -> str:
    if ending.line.stage == Stage.WAITING_FOR_APPROVAL:
        return f"  {entry.name}  waits for a countersignature in Slack"
    return f"  {entry.name}  {sentence(ending)}"
