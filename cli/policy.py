"""`countersign policy`: put a policy file in force for a tenant, and test policies."""

import asyncio
from pathlib import Path

import click

from adapters.embedded.home import default_home, open_home
from adapters.policy.bundle import Bundle
from adapters.policy.effective import alone
from adapters.policy.file import read_file
from adapters.policy.smoke import smoke
from adapters.policy.written import as_amount
from adapters.postgres.directory import Directory, DirectoryKind
from adapters.postgres.policy_register import PolicyRegister
from adapters.postgres.session import Database
from adapters.settings import Settings, needed
from cli.policy_backtest import backtest
from cli.policy_check import check
from cli.policy_explain import explain
from cli.policy_tables import test
from cli.processes import settings_of_running
from cli.tenants import put_policy

OWNER_URL = "COUNTERSIGN_OWNER_DATABASE_URL"


class NoSuchTenant(Exception):
    """The name is nobody's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Tenant {name!r} does not exist. `countersign tenant add` makes one")


@click.group()
def policy() -> None:
    """Put a policy in force, and check and test policies."""


policy.add_command(backtest)
policy.add_command(check)
policy.add_command(explain)
policy.add_command(test)


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tenant", required=True, help="The tenant's name.")
def load(file: Path, tenant: str) -> None:
    """Put FILE in force for a tenant, from its next decision on."""
    bundle = read_file(file)
    asyncio.run(smoke(alone(bundle)))
    asyncio.run(put_in_force(bundle, tenant, _owner_url()))
    click.echo(f"In force for {tenant!r}: {_in_words(bundle)}")


async def put_in_force(bundle: Bundle, tenant: str, owner_url: str) -> None:
    """Publishes it and moves the tenant's pointer. Repeating is safe."""
    database = Database(owner_url)
    try:
        tenant_id = await Directory(database).tenant_of(DirectoryKind.NAME, tenant)
        if tenant_id is None:
            raise NoSuchTenant(tenant)
        await put_policy(PolicyRegister(database), tenant_id, bundle)
    finally:
        await database.close()


def _owner_url() -> str:
    settings = Settings()
    path = settings.home or default_home()
    if path.exists():
        settings = settings_of_running(open_home(path), settings)
    return needed(settings.owner_database_url, OWNER_URL)


def _in_words(bundle: Bundle) -> str:
    limits = next(
        (rule.threshold for rule in bundle.rules if "refund" in (rule.when.actions or ()) and rule.threshold),
        None,
    )
    if limits is None:
        return f"no refunds ({alone(bundle).version[:19]})"
    currency, automatic = next(iter(limits.allow_up_to.items()))
    approved = (limits.approval_up_to or limits.allow_up_to)[currency]
    return (
        f"refunds up to {as_amount(automatic)} go out by themselves, up to {as_amount(approved)} with"
        f" approval, above that never ({alone(bundle).version[:19]})"
    )
