"""Brings both databases to the schema that this code expects."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import MetaData

from adapters.postgres.bootstrap import DatabaseUrls
from adapters.postgres.session import connection_options
from adapters.postgres.tables import KEYS_SCHEMA, SCHEMA, keys, main

# In a checkout and in the wheel alike the folder lies beside the packages.
MIGRATIONS = Path(__file__).parents[2] / "migrations"


@dataclass(frozen=True)
class Schema:
    """One database's tables, and the migration that made them what they are."""

    name: str
    metadata: MetaData
    head: str


MAIN = Schema(SCHEMA, main, "close_the_earlier_claim")
KEYS = Schema(KEYS_SCHEMA, keys, "let_operators_decode")


async def migrate(urls: DatabaseUrls) -> None:
    """Idempotent and cheap where nothing is to be done. Two at once wait for each other."""
    for schema, url in ((MAIN, urls.owner), (KEYS, urls.keys_owner)):
        if await migrated_to(url, schema.name) != schema.head:
            await asyncio.to_thread(command.upgrade, alembic_config(schema, url), "head")


async def migrated_to(url: str, schema: str) -> str | None:
    """The last migration that ran; None in an empty database."""
    version = sql.Identifier(schema, "alembic_version")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        try:
            cursor = await connection.execute(sql.SQL("select version_num from {}").format(version))
        except psycopg.errors.UndefinedTable:
            return None
        row = await cursor.fetchone()
    return row[0] if row else None


def alembic_config(schema: Schema, url: str) -> Config:
    """For Alembic's commands on one of the databases."""
    config = Config()
    config.set_main_option("script_location", _doubled(MIGRATIONS))
    config.set_main_option("version_locations", _doubled(MIGRATIONS / schema.name))
    config.set_main_option("path_separator", "newline")  # a path may have spaces
    config.attributes.update(schema=schema, url=url)
    return config


def migration_options(url: str) -> dict[str, Any]:
    """With row security off a change that it would silently reduce to nothing raises instead.

    Our schema stays out of the search path, because Alembic compares it by name.
    """
    return connection_options(url) | {"options": "-c row_security=off -c search_path=public"}


def _doubled(path: Path) -> str:
    return str(path).replace("%", "%%")
