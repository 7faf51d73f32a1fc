"""The emulators' one SQLite file: everything they know survives a kill.

All access happens on the event loop's thread and no transaction contains an `await`,
so calls never interleave.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS brands (name TEXT PRIMARY KEY, position INTEGER NOT NULL, setup TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS customers (
  brand TEXT NOT NULL, email TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL, phone TEXT, address TEXT,
  PRIMARY KEY (brand, email));
CREATE TABLE IF NOT EXISTS orders (
  brand TEXT NOT NULL, number TEXT NOT NULL, customer_email TEXT NOT NULL COLLATE NOCASE,
  status TEXT NOT NULL, total INTEGER NOT NULL, currency TEXT NOT NULL, payment_id TEXT NOT NULL UNIQUE,
  ordered_at TEXT NOT NULL, delivered_at TEXT, items TEXT NOT NULL, PRIMARY KEY (brand, number));
CREATE TABLE IF NOT EXISTS refunds (
  id TEXT PRIMARY KEY, payment_id TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
  reference TEXT NOT NULL, idempotency_key TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS refunds_of_payment ON refunds (payment_id);
CREATE TABLE IF NOT EXISTS tickets (
  brand TEXT NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL, status TEXT NOT NULL, tags TEXT NOT NULL,
  requester TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, position INTEGER NOT NULL,
  merged_into TEXT, spam INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (brand, id));
CREATE TABLE IF NOT EXISTS ticket_messages (
  position INTEGER PRIMARY KEY AUTOINCREMENT, brand TEXT NOT NULL, ticket_id TEXT NOT NULL,
  author TEXT NOT NULL, body TEXT NOT NULL, public INTEGER NOT NULL, created_at TEXT NOT NULL, reference TEXT,
  subject TEXT, mail_headers TEXT NOT NULL DEFAULT '{}', UNIQUE (brand, reference));
CREATE INDEX IF NOT EXISTS messages_of_ticket ON ticket_messages (brand, ticket_id);
CREATE TABLE IF NOT EXISTS deliveries (
  position INTEGER PRIMARY KEY AUTOINCREMENT, brand TEXT NOT NULL, ticket_id TEXT NOT NULL,
  webhook_id TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
  not_before REAL NOT NULL, last_status INTEGER);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (not_before) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_of_ticket ON deliveries (brand, ticket_id);
CREATE TABLE IF NOT EXISTS slack_teams (id TEXT PRIMARY KEY, position INTEGER NOT NULL, setup TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS slack_users (
  id TEXT PRIMARY KEY, position INTEGER NOT NULL, setup TEXT NOT NULL, team TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS slack_channels (
  id TEXT PRIMARY KEY, position INTEGER NOT NULL, setup TEXT NOT NULL, team TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS slack_messages (
  channel TEXT NOT NULL, ts TEXT NOT NULL, thread_ts TEXT, text TEXT NOT NULL, blocks TEXT NOT NULL,
  metadata TEXT, edited_ts TEXT, ephemeral_to TEXT, broadcast INTEGER NOT NULL, PRIMARY KEY (channel, ts));
CREATE TABLE IF NOT EXISTS slack_response_urls (
  token TEXT PRIMARY KEY, channel TEXT NOT NULL, ts TEXT NOT NULL, user TEXT NOT NULL,
  uses INTEGER NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS faults (
  position INTEGER PRIMARY KEY AUTOINCREMENT, surface TEXT NOT NULL, kind TEXT NOT NULL,
  times INTEGER NOT NULL, path TEXT NOT NULL, seconds REAL NOT NULL);
"""
# Columns that a state from before them does not have.
ADDED = (
    ("slack_users", "team", "TEXT NOT NULL DEFAULT ''"),
    ("slack_channels", "team", "TEXT NOT NULL DEFAULT ''"),
    ("tickets", "merged_into", "TEXT"),
    ("tickets", "spam", "INTEGER NOT NULL DEFAULT 0"),
    ("ticket_messages", "subject", "TEXT"),
    ("ticket_messages", "mail_headers", "TEXT NOT NULL DEFAULT '{}'"),
)
# A state from when there was one team only: everything is that team's.
ONE_TEAM_ONLY = (
    "INSERT INTO slack_teams SELECT value ->> 'team_id', 0, value FROM settings WHERE name = 'slack'",
    "UPDATE slack_users SET team = (SELECT id FROM slack_teams) WHERE team = ''",
    "UPDATE slack_channels SET team = (SELECT id FROM slack_teams) WHERE team = ''",
    "DELETE FROM settings WHERE name = 'slack'",
)
# Numbers are never given twice, so counters outlive a reset.
FORGETTABLE = (
    "refunds",
    "tickets",
    "ticket_messages",
    "deliveries",
    "slack_messages",
    "slack_response_urls",
    "faults",
)


class Database:
    """A connection in WAL mode; a commit is durable against the death of the process."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA busy_timeout = 5000")
        self._connection.executescript(SCHEMA)
        self._upgrade()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another transaction it joins that one."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def all(self, statement: str, *values: object) -> list[sqlite3.Row]:
        return self.run(statement, *values).fetchall()

    def one(self, statement: str, *values: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.run(statement, *values).fetchone()
        return row

    def next_number(self, counter: str, at_least: int) -> int:
        """A number higher than all before it under this name, and not below `at_least`."""
        row = self.one(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name)"
            " DO UPDATE SET value = max(value + 1, excluded.value) RETURNING value",
            counter,
            at_least,
        )
        return int(row["value"]) if row else at_least

    def _upgrade(self) -> None:
        with self.transaction():
            for table, column, kind in ADDED:
                columns = {row["name"] for row in self.all(f"PRAGMA table_info({table})")}
                if column not in columns:
                    self.run(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
            if self.one("SELECT 1 FROM settings WHERE name = 'slack'"):
                for statement in ONE_TEAM_ONLY:
                    self.run(statement)

    def forget(self) -> None:
        """Drops what happened and keeps the setup."""
        with self.transaction():
            for table in FORGETTABLE:
                self.run(f"DELETE FROM {table}")  # noqa: S608 - names from the constant above
