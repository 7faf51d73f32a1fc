"""Refuses to start on a database whose isolation is not exactly what was declared.

`declared/*.txt` lists every role, table, key, policy, trigger, function and grant. A migration that changes
one of them changes the list in the same commit: `python -m adapters.postgres.self_check URL` prints it anew.
"""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import text

from adapters.postgres.session import Database
from adapters.postgres.tables import KEYS_SCHEMA, SCHEMA
from adapters.settings import Environment

HERE = Path(__file__).parent
CATALOG = text((HERE / "catalog.sql").read_text(encoding="utf-8"))
SHOWN = 5

# Below these, published ways around row-level security and roles are open.
PATCHED_SERVERS = {16: 160016, 17: 170012, 18: 180007}
PATCHED_VECTORS = (0, 8, 7)

FACTS = text("""
    select current_setting('server_version_num')::int as server, current_setting('server_version') as named,
        (select extversion from pg_extension where extname = 'vector') as vectors,
        to_regnamespace('countersign_keys') is not null as holds_keys,
        array(select datname::text from pg_database where datallowconn and datname <> current_database()
            and has_database_privilege(datname, 'connect') order by datname) as others
""")


class DatabaseNotAsDeclared(Exception):
    """Something that keeps tenants or roles apart is missing, changed or was added."""

    def __init__(self, differences: Sequence[str]) -> None:
        shown = "; ".join(differences[:SHOWN])
        more = f"; and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        super().__init__(
            f"The database is not as declared: {shown}{more}. Run the migrations of this release, and undo "
            "what was changed by hand"
        )
        self.differences = differences


class OutdatedServer(Exception):
    """Production refuses servers with published holes."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(f"{'; '.join(sentences)}. Update the server, or run outside production")


async def check_database(database: Database, environment: Environment) -> Sequence[str]:
    """For the start of every process, on each database it uses. Returns sentences that warn.

    Raises `DatabaseNotAsDeclared`, and in production `OutdatedServer`.
    """
    facts = (await database.call(FACTS, {}))[0]
    lines = [str(row["line"]) for row in await database.call(CATALOG, {})]
    found = differences(lines, declared(KEYS_SCHEMA if facts["holds_keys"] else SCHEMA))
    found += [f"it may connect to {name}" for name in facts["others"] if name in (SCHEMA, KEYS_SCHEMA)]
    if found:
        raise DatabaseNotAsDeclared(found)
    outdated = list(_outdated(facts["server"], facts["named"], facts["vectors"]))
    if outdated and environment is Environment.PRODUCTION:
        raise OutdatedServer(outdated)
    return outdated + [f"The role may also connect to database {name!r}" for name in facts["others"]]


def declared(schema: str) -> list[str]:
    """The committed list."""
    return (HERE / "declared" / f"{schema}.txt").read_text(encoding="utf-8").splitlines()


def differences(found: Iterable[str], expected: Iterable[str]) -> list[str]:
    """What is there and should not be, then what should be there and is not."""
    there, wanted = set(found), set(expected)
    return [f"not declared: {line}" for line in sorted(there - wanted)] + [
        f"missing: {line}" for line in sorted(wanted - there)
    ]


def _outdated(server: int, named: str, vectors: str | None) -> Iterable[str]:
    if server < PATCHED_SERVERS.get(server // 10000, 0) or server // 10000 < min(PATCHED_SERVERS):
        yield f"PostgreSQL {named} lacks published security fixes"
    if vectors and tuple(map(int, vectors.split("."))) < PATCHED_VECTORS:
        yield f"pgvector {vectors} lacks published security fixes"


async def _print_catalog(url: str) -> None:
    database = Database(url, pool_size=1)
    for row in await database.call(CATALOG, {}):
        sys.stdout.write(f"{row['line']}\n")
    await database.close()


if __name__ == "__main__":
    asyncio.run(_print_catalog(sys.argv[1]))
