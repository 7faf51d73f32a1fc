"""`countersign effect settle`: a person looked at the provider and knows what happened."""

import asyncio

import click

from adapters.postgres.session import Database
from adapters.postgres.settling import settle as settled
from cli.connected import NOT_RUNNING, connected
from cli.terminal import console
from domain.effect import EffectState


@click.group()
def effect() -> None:
    """Settles effects."""


@effect.command()
@click.argument("tenant")
@click.argument("key")
def settle(tenant: str, key: str) -> None:
    """Says that a person knows how the effect KEY of TENANT ended. It is never sent again."""
    asyncio.run(_settle(tenant, key))


async def _settle(tenant: str, key: str) -> None:
    async with connected() as system:
        tenant_id = await system.tenant(tenant)
        url = system.settings.egress_database_url
        if url is None:
            raise click.ClickException(NOT_RUNNING)
        egress = Database(url.get_secret_value(), pool_size=1)
        try:
            before = await settled(egress, tenant_id, key)
        finally:
            await egress.close()
    if before is None:
        raise click.ClickException(
            f"{tenant} has no such effect. `countersign doctor` names the unknown ones"
        )
    if before is not EffectState.UNKNOWN:
        raise click.ClickException(f"This effect is {before}, so there is nothing to settle")
    console().print(f"{key} is settled by a person")
