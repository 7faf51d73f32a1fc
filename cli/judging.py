"""`countersign ticket judge`: whether a handoff was right, said at a terminal."""

import asyncio

import click

from adapters.postgres.judgements import PostgresJudgements
from cli.connected import connected
from cli.ownership import as_teammate, named_ticket, principal_of
from cli.terminal import console
from domain.judgement import HandoffVerdict


@click.command()
@named_ticket
@as_teammate
@click.option(
    "--handoff",
    "verdict",
    required=True,
    type=click.Choice([verdict.value for verdict in HandoffVerdict]),
    help="Whether the ticket should have been handed over.",
)
def judge(named: str, teammate: str, verdict: str) -> None:
    """Say whether the handoff of a ticket was right; the last word counts."""
    asyncio.run(_judge(named, teammate, HandoffVerdict(verdict)))


async def _judge(named: str, teammate: str, verdict: HandoffVerdict) -> None:
    async with connected() as system:
        ticket = await system.ticket(named)
        principal = await principal_of(system, ticket.tenant_id, named, teammate)
        judged = await PostgresJudgements(system.app).judge(ticket, principal.id, verdict)
    now = "is now" if judged.changed else "was already"
    console().print(f"[bold]{named}[/bold]: the handoff {now} judged {judged.verdict}")
