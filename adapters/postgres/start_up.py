"""What every process does with its databases before it serves: wait until they answer, and check them."""

import asyncio
from collections.abc import Sequence
from time import monotonic

import structlog
from sqlalchemy.exc import OperationalError

from adapters.postgres.self_check import DatabaseNotAsDeclared, OutdatedServer, check_database
from adapters.postgres.session import Database
from adapters.settings import Environment, SettingUnusable

log = structlog.get_logger("adapters.start_up")

# What keeps a process from starting and can be said aloud: names of settings and of database objects.
SAYABLE = (SettingUnusable, DatabaseNotAsDeclared, OutdatedServer)
PATIENCE_S = 30.0
PAUSE_S = 0.5


async def check_databases(databases: Sequence[Database], environment: Environment) -> None:
    """Raises what `check_database` raises, and `OperationalError` for one that is away for too long."""
    for database in databases:
        await _answers(database)
        for warning in await check_database(database, environment):
            log.warning("database_warning", sentence=warning)


async def _answers(database: Database) -> None:
    deadline = monotonic() + PATIENCE_S
    while True:
        try:
            return await database.ping()
        except OperationalError:
            if monotonic() > deadline:
                raise
            log.info("database_awaited")
            await asyncio.sleep(PAUSE_S)
