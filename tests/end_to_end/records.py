"""Reads our databases as their administrator: no isolation, so that nothing can hide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from adapters.postgres.bootstrap import DATABASE, KEYS_DATABASE
from cli.processes import Stack
from cli.servers import EmbeddedPostgres

TABLES: LiteralString = """
    SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""


@dataclass(frozen=True)
class Records:
    """Both of our databases."""

    admin_url: str

    async def rows(self, query: LiteralString, *values: object) -> Sequence[tuple[Any, ...]]:
        async with await self._connection(DATABASE) as connection:
            return await (await connection.execute(query, values)).fetchall()

    async def run(self, statement: LiteralString, *values: object) -> None:
        async with await self._connection(DATABASE) as connection:
            await connection.execute(statement, values)

    async def tamper(self, statement: LiteralString, *values: object) -> Sequence[tuple[Any, ...]]:
        """As somebody who owns the server: no trigger objects. Ends in `RETURNING`."""
        async with await self._connection(DATABASE) as connection:
            await connection.execute("SET LOCAL session_replication_role = replica")
            return await (await connection.execute(statement, values)).fetchall()

    async def everything(self) -> dict[str, str]:
        """Every row of every table as text, by table; bytes are shown in hex."""
        found: dict[str, str] = {}
        for database in (DATABASE, KEYS_DATABASE):
            async with await self._connection(database) as connection:
                for schema, table in await (await connection.execute(TABLES)).fetchall():
                    name = sql.Identifier(schema, table)
                    query = sql.SQL("SELECT one::text FROM {} AS one").format(name)
                    lines = await (await connection.execute(query)).fetchall()
                    found[f"{database}.{schema}.{table}"] = "\n".join(line for (line,) in lines)
        return found

    async def checkpoint(self) -> None:
        """Brings what is in memory to the files."""
        async with await self._connection(DATABASE) as connection:
            await connection.set_autocommit(True)
            await connection.execute("CHECKPOINT")

    async def _connection(self, database: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        url = make_url(self.admin_url).set(database=database)
        return await psycopg.AsyncConnection.connect(url.render_as_string(hide_password=False))


def records_of(stack: Stack) -> Records:
    postgres = stack.supervisor.service("postgres")
    assert isinstance(postgres, EmbeddedPostgres)
    return Records(postgres.server.admin_url)
