"""`countersign demo`: the whole system with two shops, their tickets, and one thing for you to do."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
import httpx
from rich.console import Console
from rich.table import Table

from adapters.settings import Settings
from cli.connected import Connected, connected
from cli.demo_bulk import run_file
from cli.demo_data import TENANTS, DemoTicket, DemoVote, Expectation, shop_of, tickets
from cli.demo_watch import Ending, Sent, Watch
from cli.demo_world import Emulators, build, next_run, policy_file, renumbered
from cli.processes import Stack, StackOptions
from cli.terminal import console
from cli.up import addresses, running_stack

EVERY_TICKET_WITHIN_S = 120.0
LOOK_EVERY_S = 0.25
RECONTACT_WINDOW_S = 3 * 24 * 3600


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
    async with connected(stack.settings) as system:
        sent = [await _send(system, emulators, ticket, run) for ticket in tickets()]
        await _tell(shown, Watch(system, sent), stack, stopped)


async def _tell(shown: Console, watch: Watch, stack: Stack, stopped: asyncio.Event) -> None:
    """A line for each ticket that comes to rest; once only people are waited for, what to do."""
    waiting: dict[str, Sent] = {}
    instructed = False
    while not stopped.is_set():
        done, asking = await watch.look()
        for entry, ending in done:
            shown.print(_sentence(entry, ending))
            if waiting.pop(entry.name, None):
                shown.print(f"    The story: [bold]countersign ticket trace {entry.name}[/bold]")
        waiting |= {entry.name: entry for entry in asking}
        for entry in asking:
            shown.print(f"  {entry.name}  waits for a countersignature in Slack")
        if not instructed and waiting and len(waiting) == watch.unfinished:
            instructed = True
            _instruct(shown, stack)
        await asyncio.sleep(LOOK_EVERY_S)


def _instruct(shown: Console, stack: Stack) -> None:
    file = policy_file(stack.home, TENANTS[0])
    shown.print(
        f"\n[bold]Open {stack.emulators_url} and approve the waiting refund in Slack.[/bold]\n"
        f"Then try: change 50.00 to 20.00 in {file}, run "
        f"[bold]countersign policy load {file} --tenant {TENANTS[0]}[/bold], "
        "and write a *New ticket* about a small refund.\nCtrl-C stops everything.\n"
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
