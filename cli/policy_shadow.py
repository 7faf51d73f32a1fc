"""`countersign policy shadow report`: what the candidate would have decided since it was named."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import click

from adapters.postgres.observations import ObservationRecords, RuleDifference
from cli.connected import Connected, connected
from cli.policy_backtest_words import counted, moves
from cli.policy_places import Policies
from cli.terminal import console
from domain.model import Digest
from domain.observation import Observed, together


@dataclass(frozen=True)
class Shadow:
    """One candidate of a tenant, by rule. `numbers` has the tickets of the examples."""

    tenant: str
    observed: Observed
    rules: Sequence[RuleDifference]
    numbers: dict[UUID, str]


@click.group()
def shadow() -> None:
    """A candidate policy beside the one in force. It decides nothing."""


@shadow.command()
@click.option("--tenant", help="Only this tenant; without it, all.")
@click.option("--all", "every", is_flag=True, help="Earlier candidates too.")
def report(tenant: str | None, *, every: bool) -> None:
    """Say for how long and on how many decisions a candidate was observed, and what differed, by rule."""
    shadows = asyncio.run(_shadows(tenant, None if every else 1))
    lines = [line for each in shadows for line in told(each)] or [
        "No candidate was observed. A policy is one once it is named as the candidate and decisions are made"
    ]
    shown = console()
    for line in lines:
        shown.print(line, markup=False)


async def _shadows(tenant: str | None, most: int | None) -> Sequence[Shadow]:
    async with connected() as system:
        names = [tenant] if tenant else [each.name for each in await system.all_tenants()]
        return [found for name in names for found in await _of_tenant(system, name, most)]


async def _of_tenant(system: Connected, name: str, most: int | None) -> Sequence[Shadow]:
    tenant_id, records = await system.tenant(name), system.observations
    return [
        await _shadow(system, records, name, tenant_id, observed)
        for observed in (await records.observed(tenant_id))[:most]
    ]


async def _shadow(
    system: Connected, records: ObservationRecords, name: str, tenant_id: UUID, observed: Observed
) -> Shadow:
    rules = await records.by_rule(tenant_id, observed.candidate)
    tickets = list(dict.fromkeys(ticket for rule in rules for ticket in rule.tickets))
    numbers = await system.tickets.numbers(tenant_id, [*map(str, tickets)])
    return Shadow(name, observed, rules, dict(zip(tickets, numbers, strict=True)))


async def observation_of(policies: Policies, version: Digest) -> Sequence[str]:
    """For how long and on how many decisions a published version was tried, and what speaks against it."""
    tenants = await policies.tenants()
    parts = [
        each for tenant_id in tenants for each in await policies.observations.observed(tenant_id, version)
    ]
    seen = together(parts)
    if seen is None:
        return ["It was never observed beside the policy in force"]
    days = (seen.until - seen.since).days
    observed = (
        f"It was observed for {counted(days, 'day')} on {counted(seen.decisions, 'decision')},"
        f" of which {seen.different} would have been different"
    )
    return [observed, *(f"Beware: {doubt[:1].lower()}{doubt[1:]}" for doubt in seen.doubts())]


def told(shadow_: Shadow) -> Iterator[str]:
    """Lines; the last is blank."""
    seen = shadow_.observed
    yield f"{shadow_.tenant}: candidate {seen.candidate}"
    span = f"{seen.since:%Y-%m-%d %H:%M} to {seen.until:%Y-%m-%d %H:%M} UTC"
    yield f"  Observed from {span}, on {counted(seen.decisions, 'decision')}."
    yield f"  {seen.different} would have been different."
    if seen.unknown:
        yield f"  {seen.unknown} are unknown, because the candidate asks for what was not looked up."
    for doubt in seen.doubts():
        yield f"  Beware: {doubt[:1].lower()}{doubt[1:]}."
    for rule in shadow_.rules:
        marked = " (must hold)" if rule.must_hold else ""
        yield f"  {rule.rule}{marked}: {rule.decisions} × {moves(rule.verdict, rule.candidate_verdict)}."
        for ticket, decision in zip(rule.tickets, rule.examples, strict=True):
            yield f"    {shadow_.tenant}/{shadow_.numbers[ticket]}  {decision}"
    yield ""
