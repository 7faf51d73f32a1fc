"""`countersign tenant add NAME --file tenant.yaml` and `tenant list`; `cli/tenant_login.py` has the rest."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from adapters.keys import EnvelopeKeys
from adapters.policy.published import published
from adapters.postgres.articles import ArticleShelf
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.policy_moves import Movers
from adapters.postgres.session import Database
from adapters.postgres.tenant_list import ListedTenant, listed_tenants
from adapters.postgres.tenant_registry import TenantRegistry
from adapters.settings import Settings
from cli.connected import NOT_RUNNING, running_settings
from cli.policy_places import in_development
from cli.tenant_login import link, token
from cli.tenants import Added, TenantSpec, TenantStores, add_tenant, policy_stores, read_tenant


@click.group()
def tenant() -> None:
    """Tenants: whose tickets are answered, from what and by which rules."""


@tenant.command()
@click.argument("name")
@click.option(
    "--file",
    "path",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The tenant file; docs/tenants.md explains it.",
)
def add(name: str, path: Path) -> None:
    """Add the tenant NAME, or bring it to what the file says."""
    spec = read_tenant(name, path)
    settings = running_settings()
    added = asyncio.run(_add(settings, spec))
    for line in summary(spec, added, settings.api_port):
        click.echo(line)


@tenant.command(name="list")
def list_() -> None:
    """Name every tenant with its mode."""
    table = Table("name", "mode", "id", box=None, header_style="bold")
    for listed in asyncio.run(_list(running_settings())):
        table.add_row(listed.name, listed.mode.value, str(listed.tenant_id))
    Console(highlight=False).print(table if table.row_count else "No tenants yet. Add one with `tenant add`")


tenant.add_command(token)
tenant.add_command(link)


@asynccontextmanager
async def tenant_stores(settings: Settings) -> AsyncIterator[TenantStores]:
    """Open connections as `owner`, for one command or for the demo."""
    owner = Database(needed(settings.owner_database_url), pool_size=1)
    key_database = Database(needed(settings.app_keys_url), pool_size=1)
    keys = EnvelopeKeys(PostgresKeyStore(key_database), base64.b64decode(needed(settings.master_key)))
    try:
        yield TenantStores(TenantRegistry(owner, keys), ArticleShelf(owner), policy_stores(owner))
    finally:
        await owner.close()
        await key_database.close()


def summary(spec: TenantSpec, added: Added, api_port: int) -> list[str]:
    """What was made, in a few lines."""
    version = published(spec.policy).version[:19]
    return [
        f"Tenant {spec.name!r} was {'added' if added.is_new else 'brought up to date'} ({added.tenant_id})",
        f"  mode      {spec.file.settings.mode.value}",
        f"  policy    {_policy(spec, added, version)}",
        f"  articles  {len(spec.articles)}, {added.articles_changed} of them new or changed",
        f"  webhook   http://127.0.0.1:{api_port}{added.hook_path}",
    ]


def _policy(spec: TenantSpec, added: Added, version: str) -> str:
    if added.policy_waits:
        return f"another is in force. `countersign policy load FILE --tenant {spec.name}` replaces it"
    return f"{version} {'now active' if added.policy_changed else 'unchanged'}"


def needed(secret: SecretStr | None) -> str:
    """The value, or a sentence that says how to get it."""
    if secret is None:
        raise click.ClickException(NOT_RUNNING)
    return secret.get_secret_value()


async def _add(settings: Settings, spec: TenantSpec) -> Added:
    async with tenant_stores(settings) as stores:
        return await add_tenant(stores, spec, Movers(development=in_development(settings)))


async def _list(settings: Settings) -> list[ListedTenant]:
    owner = Database(needed(settings.owner_database_url), pool_size=1)
    try:
        return await listed_tenants(owner)
    finally:
        await owner.close()
