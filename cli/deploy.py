"""`countersign deploy secrets`: every secret of a production deployment, made once and never overwritten."""

import base64
import os
import secrets as random
from collections.abc import Mapping
from pathlib import Path

import click

from adapters.postgres.bootstrap import DATABASE, KEY_ROLES, KEYS_DATABASE, ROLES, role_name
from adapters.settings import MASTER_KEY_BYTES
from cli.migrate import NAMES

ENVIRONMENT_FILE = ".env"
SECRETS_FOLDER = "secrets"
PASSWORD_BYTES = 32
ADMINISTRATOR = "postgres"
# The services of docker-compose.yml.
SERVERS = {DATABASE: "postgres", KEYS_DATABASE: "keys"}

HEAD = """\
# Made by `countersign deploy secrets`. Whoever reads this file acts as every process; keep it at 0600.
# What else may be set here: .env.example.
COUNTERSIGN_ENV=production
# Which servers run here. Leave out `postgres` or `temporal` for servers of your own, as
# docs/operating/production.md says.
COMPOSE_PROFILES=postgres,temporal

# From "Basic Information" of the Slack app.
SLACK_SIGNING_SECRET=
COUNTERSIGN_PUBLIC_URL=

# One role each. `migrate` makes the roles with these passwords.
"""


class SecretsExist(Exception):
    """Overwriting a master key would lose everything encrypted with it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{str(path)!r} exists and is not overwritten: a lost master key is lost data. "
            "Move it away if you really want new secrets"
        )


@click.group()
def deploy() -> None:
    """Make what a production deployment needs."""


@deploy.command()
@click.option(
    "--directory",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path(),
    help="Beside docker-compose.yml; default: here.",
)
def secrets(directory: Path) -> None:
    """Make .env and secrets/ with a master key and passwords, once; refuses to overwrite."""
    environment, folder = directory / ENVIRONMENT_FILE, directory / SECRETS_FOLDER
    for path in (environment, folder):
        if path.exists() or path.is_symlink():
            raise SecretsExist(path)
    folder.mkdir(mode=0o700)
    for name, value in mounted_secrets().items():
        # Containers run as users of their own; the folder keeps everybody else of this machine out.
        _write_new(folder / name, f"{value}\n", 0o444)
    _write_new(environment, environment_of(), 0o600)
    click.echo(f"Made {environment} and {folder}/")
    click.echo(f"Put SLACK_SIGNING_SECRET and COUNTERSIGN_PUBLIC_URL into {environment}")
    click.echo(f"Keep a copy of {folder / 'master_key'} away from the backups of the databases")


def environment_of() -> str:
    """The text of `.env`, with a new password for each role."""
    addresses = {NAMES[role]: _address(role) for role in ROLES}
    others = {"TEMPORAL_DATABASE_PASSWORD": _password(), "COUNTERSIGN_CODEC_TOKEN": _password()}
    return (
        HEAD
        + _lines(addresses)
        + "\n# Of Temporal's own databases, and of who reads payloads of every tenant at the codec server.\n"
        + _lines(others)
    )


def mounted_secrets() -> Mapping[str, str]:
    """By file name. Administrators' passwords reach the servers and `migrate`, and no other container."""
    passwords = {server: _password() for server in SERVERS.values()}
    return {
        "master_key": base64.b64encode(random.token_bytes(MASTER_KEY_BYTES)).decode(),
        **{f"{server}_password": password for server, password in passwords.items()},
        **{
            f"{server}_admin_url": f"postgresql://{ADMINISTRATOR}:{password}@{server}:5432/postgres"
            for server, password in passwords.items()
        },
    }


def _address(role: str) -> str:
    database = KEYS_DATABASE if role in KEY_ROLES else DATABASE
    return f"postgresql://{role_name(role)}:{_password()}@{SERVERS[database]}:5432/{database}"


def _password() -> str:
    # Letters, digits, - and _ only: it stands in addresses and in files that shells and compose read.
    return random.token_urlsafe(PASSWORD_BYTES)


def _lines(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _write_new(path: Path, text: str, mode: int) -> None:
    """Never follows a link and never opens what is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
