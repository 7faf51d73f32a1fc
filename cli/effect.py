"""`countersign effect settle`: a person looked at the provider and knows what happened."""

import asyncio

import click

from adapters.postgres.session import Database
from adapters.postgres.settling import settle as settled
from cli.connected import NOT_RUNNING, connected
from cli.ownership import principal_of
from cli.terminal import console
from domain.effect import EffectState, Finding


@click.group()
def effect() -> None:
    """Settles effects."""


@effect.command()
@click.argument("tenant")
@click.argument("key")
@click.option(
    "--principal", "--as", "teammate", required=True, help="Who looked: a Slack user id or principal id."
)
@click.option(
    "--finding", required=True, type=click.Choice([each.value for each in Finding]), help="What they found."
)
def settle(tenant: str, key: str, teammate: str, finding: str) -> None:
    """Says that a person knows how the effect KEY of TENANT ended. It is never sent again."""
    asyncio.run(_settle(tenant, key, teammate, Finding(finding)))


async def _settle(tenant: str, key: str, teammate: str, finding: Finding) -> None:
    async with connected() as system:
        tenant_id = await system.tenant(tenant)
        principal = await principal_of(system, tenant_id, tenant, teammate)
        url = system.settings.egress_database_url
        if url is None:
            raise click.ClickException(NOT_RUNNING)
        egress = Database(url.get_secret_value(), pool_size=1)
        try:
            before = await settled(egress, tenant_id, key, principal.id, finding)
        finally:
            await egress.close()
    if before is None:
        raise click.ClickException(
            f"{tenant} has no such effect. `countersign doctor` names the unknown ones"
        )
    if before is not EffectState.UNKNOWN:
        raise click.ClickException(f"This effect is {before}, so there is nothing to settle")
    console().print(f"{key} is settled by {principal.slack_user_id}: {finding}")
