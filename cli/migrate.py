"""`countersign migrate`: roles, databases and tables on servers of your own, as their administrator.

It alone is given administrators' addresses; the api and the workers get the addresses it prepares.
"""

import asyncio
from collections.abc import Iterable, Mapping

import click
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from adapters.postgres.bootstrap import (
    DATABASE,
    KEY_ROLES,
    KEYS_DATABASE,
    MAIN_ROLES,
    ROLES,
    DatabaseUrls,
    bootstrap,
    role_name,
)
from adapters.postgres.migrate import KEYS, MAIN
from adapters.postgres.migrate import migrate as migrate_databases
from adapters.postgres.self_check import check_database
from adapters.postgres.session import Database
from adapters.production_secrets import refuse_weak_secrets
from adapters.settings import Settings, SettingUnusable, drop_postgres_variables, needed

# Where each role's address and so its password comes from.
NAMES: Mapping[str, str] = {
    **{role: f"COUNTERSIGN_{role.upper()}_DATABASE_URL" for role in MAIN_ROLES},
    **{role: f"COUNTERSIGN_{role.removeprefix('key_').upper()}_KEYS_URL" for role in KEY_ROLES},
    "keys_owner": "COUNTERSIGN_KEYS_OWNER_URL",
}


class AddressOfAnotherRole(Exception):
    """A process would connect as somebody else than the role that is made for it."""

    def __init__(self, name: str, user: str, database: str) -> None:
        super().__init__(f"{name} has to name the user {user!r} and the database {database!r}")


@click.command()
def migrate() -> None:
    """Prepare databases of your own, or bring them up to this release.

    Takes administrators' addresses from DATABASE_URL and, for a key database on a server of its own,
    KEYS_DATABASE_URL; the roles and their passwords from COUNTERSIGN_*_URL. May be repeated at any time.
    """
    drop_postgres_variables()
    settings = Settings()
    refuse_weak_secrets(settings)
    for warning in asyncio.run(_migrate(settings)):
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"The main database is at {MAIN.head!r}, the key database at {KEYS.head!r}")


async def _migrate(settings: Settings) -> Iterable[str]:
    addresses = addresses_of(settings)
    passwords = {role: str(make_url(address).password or "") for role, address in addresses.items()}
    keys_admin = settings.keys_database_url
    await bootstrap(
        needed(settings.database_url, "DATABASE_URL"),
        passwords,
        keys_admin_url=keys_admin.get_secret_value() if keys_admin else None,
    )
    # By the addresses of the processes, so that a wrong one is found here and not by a worker.
    await migrate_databases(DatabaseUrls(**addresses))
    return await _check(settings, addresses)


def addresses_of(settings: Settings) -> dict[str, str]:
    """By role; raises a sentence for one that is missing or is another role's."""
    by_alias: dict[str, SecretStr | None] = {
        str(field.alias): getattr(settings, name) for name, field in Settings.model_fields.items()
    }
    addresses = {role: needed(by_alias[NAMES[role]], NAMES[role]) for role in ROLES}
    for role, address in addresses.items():
        _refuse_other_role(role, address)
    return addresses


def _refuse_other_role(role: str, address: str) -> None:
    user, database = role_name(role), KEYS_DATABASE if role in KEY_ROLES else DATABASE
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise SettingUnusable(NAMES[role], "is not the address of a database") from None
    if (url.username, url.database) != (user, database):
        raise AddressOfAnotherRole(NAMES[role], user, database)


async def _check(settings: Settings, addresses: Mapping[str, str]) -> Iterable[str]:
    """As each role; what only warns is said once for all of them."""
    warnings: set[str] = set()
    for role in ROLES:
        database = Database(addresses[role], pool_size=1)
        try:
            warnings |= set(await check_database(database, settings.environment))
        finally:
            await database.close()
    return sorted(warnings)
