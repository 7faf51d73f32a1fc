"""`countersign ticket list|show|trace|replay|bundle`: what became of tickets, and all about one.

Whose a ticket is, `cli/ownership.py` changes.
"""

import asyncio
from collections.abc import Sequence

import click
from rich.table import Table

from adapters.postgres.principals import Principals
from adapters.postgres.ticket_lists import DecisionLine, EffectLine, TicketLine
from adapters.temporal import data_converter
from cli import judging, ownership
from cli.bundle import show_bundle
from cli.connected import Connected, connected
from cli.draft import draft
from cli.recorded import NOBODY, recorded_runs
from cli.replay import replay_ticket
from cli.story import Line, Records, story_of
from cli.terminal import console, own_command

STEP_WIDTH = 16


@click.group()
def ticket() -> None:
    """Lists tickets, shows one, tells its story, changes its owner and judges its handoff."""


for word in (ownership.take_over, ownership.hand_back, ownership.stop, judging.judge):
    ticket.add_command(word)


ticket.add_command(draft)
ticket.add_command(replay_ticket)
ticket.add_command(show_bundle)


@ticket.command("list")
@click.argument("tenant")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def list_tickets(tenant: str, limit: int) -> None:
    """Tickets of TENANT, the last changed first."""
    asyncio.run(_list(tenant, limit))


@ticket.command("show")
@click.argument("named", metavar="TENANT/NUMBER")
def show_ticket(named: str) -> None:
    """Where a ticket stands, what was decided and what was done."""
    asyncio.run(_show(named))


@ticket.command("trace")
@click.argument("named", metavar="TENANT/NUMBER")
def trace_ticket(named: str) -> None:
    """The story of a ticket, step by step, from its workflow history."""
    asyncio.run(_trace(named))


async def _list(tenant: str, limit: int) -> None:
    async with connected() as system:
        lines = await system.tickets.newest(await system.tenant(tenant), limit)
    table = Table("ticket", "stage", "owner", "outcome", "because", "turns", "changed (UTC)", box=None)
    for line in lines:
        table.add_row(*_cells(tenant, line))
    console().print(table if lines else f"{tenant} has no tickets yet")


def _cells(tenant: str, line: TicketLine) -> Sequence[str]:
    name = f"{tenant}/{line.external_id}" if line.external_id else "not read yet"
    changed = f"{line.updated_at:%Y-%m-%d %H:%M:%S}"
    return name, line.stage, line.owner, line.outcome or "", line.reason or "", str(line.turns), changed


async def _show(named: str) -> None:
    async with connected() as system:
        reference = await system.ticket(named)
        line = await system.tickets.one(reference)
        if line is None:
            raise click.ClickException(NOBODY.format(named=named))
        made = await system.tickets.decisions_of(reference)
        done = await system.tickets.effects_of(reference)
        owner = await _owner(system, line)
    _print_ticket(named, line, owner, made, done)


async def _owner(system: Connected, line: TicketLine) -> str:
    """Automation, the team, or the teammate who holds it, as `--as` takes them."""
    if line.held_by is None:
        return line.owner
    holder = await Principals(system.app).by_id(line.ticket.tenant_id, line.held_by)
    return f"{line.owner} {holder.slack_user_id if holder else line.held_by}"


def _print_ticket(
    named: str, line: TicketLine, owner: str, made: Sequence[DecisionLine], done: Sequence[EffectLine]
) -> None:
    shown = console()
    shown.print(f"[bold]{named}[/bold]  {line.stage}, owned by {owner}, {line.turns} turns")
    shown.print(f"Outcome: {line.outcome or 'open'}{f' ({line.reason})' if line.reason else ''}")
    decided = Table("decision", "action", "verdict", "rules", "in words", box=None)
    for decision in made:
        action = f"{decision.action} {decision.amount}".strip()
        decided.add_row(
            decision.id[:12], action, decision.verdict, ", ".join(decision.rules), " ".join(decision.messages)
        )
    effects = Table("effect", "type", "state", "receipt", box=None)
    for effect in done:
        state = f"{effect.state} ({effect.refusal})" if effect.refusal else effect.state
        effects.add_row(effect.id[:12], effect.type, state, effect.receipt or "")
    for table in (decided, effects):
        shown.print()
        shown.print(table)
    shown.print(f"\nThe story: {own_command()} ticket trace {named}")


async def _trace(named: str) -> None:
    async with connected() as system:
        lines = await story(system, named)
    shown = console()
    shown.print(f"[bold]{named}[/bold], from its workflow history (times in UTC)")
    for line in lines:
        shown.print(
            f"{line.at:%H:%M:%S}.{line.at.microsecond // 1000:03d}  {line.step:<{STEP_WIDTH}} {line.text}"
        )


async def story(system: Connected, named: str) -> Sequence[Line]:
    """Raises a sentence where nothing is recorded of the ticket."""
    reference = await system.ticket(named)
    runs = await recorded_runs(system, reference, named)
    made = {decision.id: decision for decision in await system.tickets.decisions_of(reference)}
    return [line async for line in story_of(Records(runs, data_converter(system.keys), made))]
