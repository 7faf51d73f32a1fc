"""`countersign policy explain`: one decision in sentences that need no knowledge of policies."""

import asyncio
import re
from uuid import UUID

import click

from adapters.policy.effective import Effective, effective
from adapters.policy.published import file_versions, read_levels
from adapters.policy.reading import at
from adapters.postgres.decision_records import DecisionStory
from adapters.postgres.policies import PolicyStore
from adapters.postgres.publications import Publications
from cli.connected import Connected, connected
from cli.policy_explained import Known, explained
from cli.terminal import console
from domain.errors import BundleRefused
from domain.model import DECISION_PATTERN

DECISION = re.compile(DECISION_PATTERN)


@click.command()
@click.argument("decision_id")
@click.option("--tenant", help="The tenant's name; without it, every tenant is looked through.")
def explain(decision_id: str, tenant: str | None) -> None:
    """Say what DECISION_ID was about, what each rule found, what it took and what came of it."""
    if DECISION.fullmatch(decision_id) is None:
        raise click.ClickException(
            f"{decision_id!r} is no decision. An id is dec_ and 40 characters; the ticket's page shows it"
        )
    known = asyncio.run(_known(decision_id, tenant))
    shown = console()
    for line in explained(known):
        shown.print(line, markup=False)


async def _known(decision_id: str, tenant: str | None) -> Known:
    async with connected() as system:
        names = [tenant] if tenant else [each.name for each in await system.all_tenants()]
        for name in names:
            tenant_id = await system.tenant(name)
            story = await system.decisions.of_decision(tenant_id, decision_id)
            if story is not None:
                return await _told(system, name, tenant_id, story)
    whose = f"Tenant {tenant!r} has no" if tenant else "No tenant has"
    raise click.ClickException(f"{whose} decision {decision_id}. The ticket's page lists its decisions")


async def _told(system: Connected, name: str, tenant_id: UUID, story: DecisionStory) -> Known:
    made = story.decisions[0]
    [number] = await system.tickets.numbers(tenant_id, [str(made.ticket_id)])
    of_ticket = await system.decisions.of_ticket(tenant_id, made.ticket_id)
    again = [
        other
        for other in of_ticket.decisions
        if other.action_digest == made.action_digest and other.id != made.id
    ]
    policy = await _policy(system, tenant_id, made.policy_version)
    agent = str(at(made.input, "agent", "id"))
    written = file_versions(policy, agent) if policy else ()
    return Known(name, number, story, policy, again, await Publications(system.app).of(tenant_id, written))


async def _policy(system: Connected, tenant_id: UUID, version: str) -> Effective | None:
    """None where that version was never published here, or this release cannot read it."""
    try:
        return effective(read_levels(await PolicyStore(system.app).content(tenant_id, version)))
    except BundleRefused:
        return None
