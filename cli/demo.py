"""`countersign demo`: the whole system with two shops, their tickets, and one thing for you to do."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import httpx
from rich.console import Console
from rich.table import Table

from adapters.settings import Settings
from cli.connected import Connected, connected
from cli.demo_bulk import run_file, texts_of
from cli.demo_data import TENANTS, DemoTicket, DemoVote, Expectation, shop_of, tickets
from cli.demo_watch import Ending, Feed, Sent, Watch
from cli.demo_world import Emulators, build, next_run, policy_file, renumbered
from cli.processes import Stack, StackOptions
from cli.tenant_login import login_address
from cli.terminal import console, own_command
from cli.up import addresses, running_stack
from domain.ticket import Stage

EVERY_TICKET_WITHIN_S = 120.0
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
    """The whole system with two shops, their tickets, and one thing for you to do."""
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
        emulators = await build(stack, recontact_window_s=0, policies={}, run=run)
        async with connected(stack.settings) as system:
            if file is not None:
                return await run_file(shown, system, emulators, file)
            return await _once(shown, system, emulators, run)


async def _once(shown: Console, system: Connected, emulators: Emulators, run: int) -> bool:
    """Every ticket of ours, votes included; True where one did not end as expected."""
    sent = [await _send(system, emulators, ticket, run) for ticket in tickets()]
    expected = {entry.ticket.ticket_id: ticket for entry, ticket in zip(sent, tickets(), strict=True)}
    watch = Watch(system, sent)
    ended: list[tuple[Sent, Ending]] = []
    to_vote: dict[str, Sent] = {}
    async with asyncio.timeout(EVERY_TICKET_WITHIN_S):
        while watch.unfinished:
            done, asking = await watch.look()
            ended += done
            for entry, ending in done:
                shown.print(_sentence(entry, ending))
            to_vote |= {entry.name: entry for entry in asking}
            for entry in list(to_vote.values()):
                if await _vote(shown, system, emulators, entry, expected[entry.ticket.ticket_id]):
                    del to_vote[entry.name]
            await asyncio.sleep(LOOK_EVERY_S)
    return _summary(shown, ended, [expected[entry.ticket.ticket_id] for entry, _ in ended])


async def _interactive(shown: Console, stack: Stack, stopped: asyncio.Event) -> None:
    policies = {tenant: policy_file(stack.home, tenant) for tenant in TENANTS}
    run = next_run(stack.home)
    emulators = await build(stack, recontact_window_s=RECONTACT_WINDOW_S, policies=policies, run=run)
    for line in addresses(stack, Settings()):
        shown.print(line)
    link = await login_address(stack.settings, TENANTS[0], TEAMMATE)
    shown.print(f"The queue, as {TEAMMATE} (once, within 15 minutes): {link}", soft_wrap=True)
    async with connected(stack.settings) as system:
        sent = [await _send(system, emulators, ticket, run) for ticket in tickets()]
        names = {await system.tenant(name): name for name in TENANTS}
        await _tell(shown, Feed(system, names, sent), sent, _instruction(stack, run), stopped)


async def _tell(
    shown: Console, feed: Feed, sent: Sequence[Sent], instruction: str, stopped: asyncio.Event
) -> None:
    """A line for each ticket that rests or waits; once ours only wait for people, what to do."""
    working = {entry.ticket.ticket_id for entry in sent}
    waiting: set[str] = set()
    while not stopped.is_set():
        was_working = bool(working)
        for entry, ending in await feed.look():
            working.discard(entry.ticket.ticket_id)
            shown.print(_sentence(entry, ending))
            if ending.line.stage == Stage.WAITING_FOR_APPROVAL:
                waiting.add(entry.name)
            elif entry.name in waiting or not was_working:
                waiting.discard(entry.name)
                for line in _done(ending):
                    shown.print(f"    {line}")
                shown.print(f"    The story: [bold]{own_command()} ticket trace {entry.name}[/bold]")
        if was_working and not working:
            shown.print(instruction)
        await asyncio.sleep(LOOK_EVERY_S)


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
        f"and run [bold]{own_command()} policy load {file} --tenant {TENANTS[0]}[/bold]\n"
        f"The next small refund waits for you too: write a *New ticket* at {stack.emulators_url},\n"
        f"as {TRY_AS} about the damaged book of order {renumbered(TRY_ORDER, run)}.\n\n"
        "Ctrl-C stops everything.\n"
    )


async def _send(system: Connected, emulators: Emulators, ticket: DemoTicket, run: int) -> Sent:
    opened = await emulators.ask(
        "POST",
        "/tickets",
        {
            "brand": ticket.tenant,
            "subject": renumbered(ticket.subject, run),
            "body": renumbered(ticket.body, run),
            "requester": shop_of(ticket.tenant).customer(ticket.writer).model_dump(),
            "duplicate_delivery": ticket.duplicate_delivery,
        },
    )
    number = str(opened["id"])
    return Sent(ticket.tenant, number, await system.ticket(f"{ticket.tenant}/{number}"))


async def _vote(
    shown: Console, system: Connected, emulators: Emulators, entry: Sent, ticket: DemoTicket
) -> bool:
    """Clicks as the teammate whom the ticket names; False while the card is not there yet."""
    if ticket.vote is None:
        shown.print(f"  {entry.name}  waits for a vote that nobody was to cast")
        return True
    approvals = await system.tickets.pending_approvals(entry.ticket)
    if not approvals or not await _click(emulators, approvals[0], ticket.vote):
        return False
    shown.print(f"  {entry.name}  {ticket.vote.by} clicks {ticket.vote.kind}")
    return True


async def _click(emulators: Emulators, approval: str, vote: DemoVote) -> bool:
    order = {
        "user": vote.by,
        "action_id": f"approval-{vote.kind}",
        "approval": approval,
        "reason": vote.reason,
    }
    try:
        answer = await emulators.ask("POST", "/slack/click", order)
    except httpx.HTTPStatusError as error:
        if error.response.status_code == httpx.codes.NOT_FOUND:
            return False
        raise
    return bool(answer["ok"])


def _sentence(entry: Sent, ending: Ending) -> str:
    if ending.line.stage == Stage.WAITING_FOR_APPROVAL:
        return f"  {entry.name}  waits for a countersignature in Slack"
    words = {
        "answered": "answered, with the article it quotes",
        "refunded": "refunded, then answered",
        "handed_over": f"handed to a teammate: {ending.because.replace('_', ' ')}",
    }
    return f"  {entry.name}  {words.get(ending.kind, ending.kind)}"


def _summary(shown: Console, ended: Sequence[tuple[Sent, Ending]], expected: Sequence[DemoTicket]) -> bool:
    table = Table("ticket", "about", "expected", "was", "because", box=None)
    wrong = 0
    for (entry, ending), ticket in zip(ended, expected, strict=True):
        as_expected = _is_as_expected(ending, ticket)
        wrong += not as_expected
        mark = "" if as_expected else " (!)"
        table.add_row(entry.name, ticket.name, ticket.expect, ending.kind + mark, ending.because)
    shown.print()
    shown.print(table)
    shown.print(f"\n{len(ended)} tickets, {len(ended) - wrong} as expected")
    return wrong > 0


def _is_as_expected(ending: Ending, ticket: DemoTicket) -> bool:
    if ticket.expect is Expectation.HANDED_OVER:
        return ending.kind == "handed_over" and ending.because == ticket.reason
    return ticket.expect.startswith(ending.kind)
