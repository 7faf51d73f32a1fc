"""`countersign ticket take-over|hand-back|stop`: a teammate's word about one ticket, said at a terminal."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import click
from temporalio.client import Client

from adapters.postgres.ownership import PostgresOwnership
from adapters.postgres.principals import Principal, Principals
from cli.connected import Connected, connected
from cli.terminal import console, own_command
from domain.audit import PerformedEffect
from domain.model import RecordId
from domain.ownership import OwnershipAnswer, RunWord
from domain.ports import Ownership
from domain.ticket import Owner, TicketRef
from workflows import commands

Command = Callable[[Client, Ownership, TicketRef, RecordId, timedelta], Awaitable[OwnershipAnswer]]

RUN_WORDS = {
    RunWord.TOLD: "Its run knows",
    RunWord.NO_RUN: "It has no run that would have to know",
    RunWord.LATER: "Its run could not be told, and lets nothing out all the same. Say it again to tell it",
}
NOT_WOKEN = "Its run could not be woken. Say it again, or automation goes on with the customer's next message"

named_ticket = click.argument("named", metavar="TENANT/NUMBER")
as_teammate = click.option(
    "--as", "teammate", required=True, metavar="PRINCIPAL", help="A teammate's Slack user id or principal id."
)


@click.command("take-over")
@named_ticket
@as_teammate
def take_over(named: str, teammate: str) -> None:
    """Take a ticket from automation: nothing of it leaves any more."""
    asyncio.run(_say(commands.take_over, named, teammate))


@click.command("hand-back")
@named_ticket
@as_teammate
def hand_back(named: str, teammate: str) -> None:
    """Give a ticket back to automation."""
    asyncio.run(_say(commands.hand_back, named, teammate))


@click.command("stop")
@named_ticket
@as_teammate
def stop(named: str, teammate: str) -> None:
    """End automation on a ticket; it counts as abandoned."""
    asyncio.run(_say(commands.stop, named, teammate))


async def _say(command: Command, named: str, teammate: str) -> None:
    async with connected() as system:
        ticket = await system.ticket(named)
        principal = await principal_of(system, ticket.tenant_id, named, teammate)
        # The database decides before anything waits for Temporal.
        client = await system.temporal(lazy=True)
        ownership = PostgresOwnership(system.app)
        answer = await command(client, ownership, ticket, principal.id, commands.PATIENCE)
    for line in lines(named, principal, answer):
        console().print(line)


async def principal_of(system: Connected, tenant_id: UUID, named: str, teammate: str) -> Principal:
    principal = await Principals(system.app).named(tenant_id, teammate)
    if principal is None:
        tenant = named.partition("/")[0]
        raise click.ClickException(
            f"{tenant} has no teammate {teammate!r}. Use a slack_user_id of its tenant file"
        )
    return principal


def lines(named: str, principal: Principal, answer: OwnershipAnswer) -> Sequence[str]:
    """Who owns it now, what had left before, and where to read on."""
    owner = principal.slack_user_id if answer.owner is Owner.TEAMMATE else "automation"
    now = "is now" if answer.changed else "was already"
    return [
        f"[bold]{named}[/bold] {now} owned by {owner} (owner epoch {answer.owner_epoch})",
        *(f"  left before    {_effect(effect)}" for effect in answer.left),
        *(f"  not known      {_effect(effect)}: look before you act" for effect in answer.not_known),
        f"{_run_word(answer)}.",
        f"The story: {own_command()} ticket trace {named}",
    ]


def _run_word(answer: OwnershipAnswer) -> str:
    if answer.run is RunWord.LATER and answer.owner is Owner.AUTOMATION:
        return NOT_WOKEN
    return RUN_WORDS[answer.run]


def _effect(effect: PerformedEffect) -> str:
    return f"{effect.type} {effect.key[:12]} ({effect.state})"
