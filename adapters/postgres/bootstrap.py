"""Makes roles, databases and schemas as the server's administrator. No tables: those are migrations.

The administrator's address and the owners' passwords never reach the api or a worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import AsyncConnection, sql
from sqlalchemy import make_url

from adapters.postgres.tables import KEYS_SCHEMA, SCHEMA

DATABASE = "countersign"
KEYS_DATABASE = "countersign_keys"

PREFIX = "countersign_"
# The first of each owns the schema.
MAIN_ROLES = ("owner", "door", "app", "egress", "relay", "codec", "sealer")
KEY_ROLES = ("keys_owner", "key_door", "key_app", "key_codec")
ROLES = MAIN_ROLES + KEY_ROLES

# A lost client must not hold the fence; a waiting claim must not outlive its activity.
SERVING_LIMITS = {
    "lock_timeout": "5s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "15s",
}

BOOTSTRAP_LOCK = 7_231_995_401


@dataclass(frozen=True, repr=False)
class DatabaseUrls:
    """One address per role, passwords included."""

    owner: str
    door: str
    app: str
    egress: str
    relay: str
    codec: str
    sealer: str
    keys_owner: str
    key_door: str
    key_app: str
    key_codec: str


class PasswordsMissing(Exception):
    """A role was given no password."""

    def __init__(self, roles: list[str]) -> None:
        super().__init__(f"There is no password for the database roles {', '.join(roles)}")


async def bootstrap(
    admin_url: str, passwords: Mapping[str, str], *, keys_admin_url: str | None = None
) -> DatabaseUrls:
    """Idempotent; sets the passwords anew. `passwords` is by the names in `ROLES`.

    `keys_admin_url` is for a key database on a server of its own.
    """
    missing = [role for role in ROLES if not passwords.get(role)]
    if missing:
        raise PasswordsMissing(missing)
    keys_url = keys_admin_url or admin_url
    shared = keys_url == admin_url
    for url, database, roles in ((admin_url, DATABASE, MAIN_ROLES), (keys_url, KEYS_DATABASE, KEY_ROLES)):
        entering = ROLES if shared else roles
        await _prepare(url, database, roles, {role: passwords[role] for role in entering})
    return DatabaseUrls(
        **{role: _url(keys_url if role in KEY_ROLES else admin_url, role, passwords[role]) for role in ROLES}
    )


async def _prepare(
    admin_url: str, database: str, roles: tuple[str, ...], passwords: Mapping[str, str]
) -> None:
    async with await _connect(admin_url) as admin:
        await admin.execute("select pg_advisory_lock(%s)", (BOOTSTRAP_LOCK,))
        for role in ROLES:
            # The declared lists name every role; where one has no business it cannot log in.
            await _make_role(admin, role_name(role), passwords.get(role))
        await _make_database(admin, database)
        await _set_up(admin_url, database, roles)
        await _close_others(admin)


def role_name(role: str) -> str:
    """The role's name in the cluster, which may serve others too."""
    return PREFIX + role


def _url(admin_url: str, role: str, password: str) -> str:
    database = KEYS_DATABASE if role in KEY_ROLES else DATABASE
    url = make_url(admin_url).set(username=role_name(role), password=password, database=database)
    return url.render_as_string(hide_password=False).replace(" ", "%20")  # libpq wants it so


async def _connect(url: str) -> AsyncConnection[tuple[object, ...]]:
    return await AsyncConnection.connect(url, autocommit=True, connect_timeout=5)


async def _make_role(admin: AsyncConnection[tuple[object, ...]], name: str, password: str | None) -> None:
    known = await admin.execute("select 1 from pg_roles where rolname = %s", (name,))
    verb = "alter" if await known.fetchone() else "create"
    login = "nologin" if password is None else "login"
    await admin.execute(
        sql.SQL(
            f"{verb} role {{}} {login} nosuperuser nocreatedb nocreaterole noinherit nobypassrls"
            " noreplication password {}"
        ).format(sql.Identifier(name), sql.Literal(_verifier(admin, name, password)))
    )


def _verifier(admin: AsyncConnection[tuple[object, ...]], name: str, password: str | None) -> str | None:
    """The server gets no password, so no log of statements can hold one."""
    if password is None:
        return None
    return admin.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()


async def _make_database(admin: AsyncConnection[tuple[object, ...]], database: str) -> None:
    known = await admin.execute("select 1 from pg_database where datname = %s", (database,))
    if not await known.fetchone():
        await admin.execute(
            sql.SQL("create database {} encoding 'UTF8' template template0").format(sql.Identifier(database))
        )


async def _set_up(admin_url: str, database: str, roles: tuple[str, ...]) -> None:
    url = make_url(admin_url).set(database=database).render_as_string(hide_password=False)
    names = [role_name(role) for role in roles]
    schema = KEYS_SCHEMA if database == KEYS_DATABASE else SCHEMA
    async with await _connect(url) as admin:
        for statement in _grants(database, schema, names):
            await admin.execute(statement)
        await _add_vectors(admin)


def _grants(database: str, schema: str, names: list[str]) -> list[sql.Composed]:
    where, owner = sql.Identifier(database), sql.Identifier(names[0])
    everyone = sql.SQL(", ").join(map(sql.Identifier, names))
    statements = [
        sql.SQL("revoke all on database {} from public").format(where),
        sql.SQL("grant connect on database {} to {}").format(where, everyone),
        sql.SQL("revoke all on schema public from public").format(),
        sql.SQL("create schema if not exists {} authorization {}").format(sql.Identifier(schema), owner),
    ]
    for name in names:
        settings = {"search_path": f"{schema}, public"} | (SERVING_LIMITS if name != names[0] else {})
        for setting, value in settings.items():
            statements.append(_setting(name, database, setting, value))
    return statements


def _setting(role: str, database: str, setting: str, value: str) -> sql.Composed:
    # A search path is a list of names; quoting it whole would make it one name.
    literal = sql.SQL(", ").join(map(sql.Literal, value.split(", ")))
    return sql.SQL("alter role {} in database {} set {} = {}").format(
        sql.Identifier(role), sql.Identifier(database), sql.Identifier(setting), literal
    )


async def _add_vectors(admin: AsyncConnection[tuple[object, ...]]) -> None:
    offered = await admin.execute("select 1 from pg_available_extensions where name = 'vector'")
    if await offered.fetchone():
        await admin.execute("create extension if not exists vector schema public")


async def _close_others(admin: AsyncConnection[tuple[object, ...]]) -> None:
    """In a cluster of our own nobody needs the maintenance databases; in a shared one others may."""
    ours = ["postgres", "template0", "template1", DATABASE, KEYS_DATABASE]
    foreign = await admin.execute("select 1 from pg_database where datname <> all(%s)", (ours,))
    if await foreign.fetchone():
        return
    await admin.execute("revoke connect, temporary on database postgres from public")
    await admin.execute("revoke connect on database template1 from public")
