"""`countersign tenant token` and `tenant link`: gives a teammate a way in and takes it away again."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

from adapters.keys import EnvelopeKeys
from adapters.postgres.directory import Directory, DirectoryKind
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.logins import IssuedToken, Logins, Teammate
from adapters.postgres.session import Database
from adapters.settings import Settings
from cli.connected import NOT_RUNNING, running_settings

REVOKED_MEANS = "Its sessions are refused from now on"


@dataclass(frozen=True)
class Staff:
    """A tenant and who works for it."""

    logins: Logins
    tenant_id: UUID
    teammates: Sequence[Teammate]

    def named(self, who: str) -> Teammate:
        """By id, Slack user or name. Raises a sentence where nobody, or more than one, is meant."""
        wanted = who.casefold()
        found = [
            one
            for one in self.teammates
            if wanted in (one.id, one.slack_user_id.casefold(), one.name.casefold())
        ]
        if not found:
            known = ", ".join(one.name for one in self.teammates if not one.is_retired)
            raise click.ClickException(f"No teammate is called {who!r}. There are {known or 'none'}")
        if len(found) > 1:
            raise click.ClickException(
                f"{len(found)} teammates are called {who!r}. Name the Slack user instead"
            )
        if found[0].is_retired:
            raise click.ClickException(
                f"{found[0].name} has no group and no role any more. Add one in the tenant file"
            )
        return found[0]

    def name_of(self, principal_id: str) -> str:
        """For lists."""
        return next((one.name for one in self.teammates if one.id == principal_id), principal_id)


@click.command()
@click.argument("tenant")
@click.argument("principal", required=False)
@click.option("--list", "list_", is_flag=True, help="List the tokens of TENANT.")
@click.option("--revoke", metavar="ID", type=click.UUID, help="Revoke a token, and end its sessions.")
def token(tenant: str, principal: str | None, revoke: UUID | None, *, list_: bool) -> None:
    """Issue an API token of TENANT to PRINCIPAL, a name, Slack user or id; it is shown once."""
    if list_ and revoke is None and principal is None:
        asyncio.run(_list(tenant))
    elif revoke is not None and not list_ and principal is None:
        asyncio.run(_revoke(tenant, revoke))
    elif principal is not None and not list_ and revoke is None:
        asyncio.run(_issue(tenant, principal))
    else:
        raise click.UsageError("Name a PRINCIPAL, or say --list, or say --revoke ID")


@click.command()
@click.argument("tenant")
@click.argument("principal")
def link(tenant: str, principal: str) -> None:
    """Print an address that logs PRINCIPAL of TENANT in once, within fifteen minutes."""
    click.echo(asyncio.run(_link(tenant, principal)))


async def login_address(settings: Settings, tenant: str, principal: str) -> str:
    """A one-time address of the pages. Raises a sentence where the tenant or teammate is not known."""
    async with _staff(settings, tenant) as staff:
        secret = await staff.logins.issue_link(staff.tenant_id, staff.named(principal))
    base = settings.public_url or f"http://127.0.0.1:{settings.api_port}"
    return f"{base.rstrip('/')}/login/{secret}"


async def _link(tenant: str, principal: str) -> str:
    return await login_address(running_settings(), tenant, principal)


async def _issue(tenant: str, principal: str) -> None:
    async with _staff(running_settings(), tenant) as staff:
        teammate = staff.named(principal)
        token_id, secret = await staff.logins.issue_token(staff.tenant_id, teammate)
    click.echo(secret)
    click.echo(
        f"This is the token {token_id} of {teammate.name}. It is shown this once. "
        f"Take it away with: countersign tenant token {tenant} --revoke {token_id}",
        err=True,
    )


async def _revoke(tenant: str, token_id: UUID) -> None:
    async with _staff(running_settings(), tenant) as staff:
        if not await staff.logins.revoke_token(staff.tenant_id, token_id):
            raise click.ClickException(f"Tenant {tenant!r} has no token {token_id} that is not revoked yet")
    click.echo(f"Revoked. {REVOKED_MEANS}")


async def _list(tenant: str) -> None:
    async with _staff(running_settings(), tenant) as staff:
        issued = await staff.logins.tokens(staff.tenant_id)
        table = _table(issued, staff)
    Console(highlight=False).print(table if issued else f"{tenant} has no tokens. `tenant token` issues one")


def _table(issued: Sequence[IssuedToken], staff: Staff) -> Table:
    table = Table(box=None, header_style="bold")
    for column in ("token", "teammate", "issued (UTC)", "revoked (UTC)"):
        table.add_column(column, no_wrap=True, min_width=36 if column == "token" else None)
    for one in issued:
        revoked = f"{one.revoked_at:%Y-%m-%d %H:%M}" if one.revoked_at else ""
        table.add_row(
            str(one.id), staff.name_of(one.principal_id), f"{one.created_at:%Y-%m-%d %H:%M}", revoked
        )
    return table


@asynccontextmanager
async def _staff(settings: Settings, tenant: str) -> AsyncIterator[Staff]:
    if not (settings.owner_database_url and settings.app_keys_url and settings.master_key):
        raise click.ClickException(NOT_RUNNING)
    owner = Database(settings.owner_database_url.get_secret_value(), pool_size=1)
    key_database = Database(settings.app_keys_url.get_secret_value(), pool_size=1)
    keys = EnvelopeKeys(
        PostgresKeyStore(key_database), base64.b64decode(settings.master_key.get_secret_value())
    )
    try:
        tenant_id = await Directory(owner).tenant_of(DirectoryKind.NAME, tenant)
        if tenant_id is None:
            raise click.ClickException(
                f"No tenant is called {tenant!r}. `countersign tenant list` names them"
            )
        logins = Logins(owner, keys)
        yield Staff(logins, tenant_id, await logins.teammates(tenant_id))
    finally:
        await owner.close()
        await key_database.close()
