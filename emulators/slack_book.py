"""What was said in the local Slack: messages, ephemerals and response URLs."""

import json
import secrets
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from emulators.clock import Clock
from emulators.database import Database
from emulators.register import Register
from emulators.slack_blocks import with_block_ids

Json = dict[str, Any]
RESPONSE_URL_LIFE_S = 30 * 60
RESPONSE_URL_USES = 5


@dataclass(frozen=True)
class Post:
    """A message before it has a time stamp."""

    channel: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    ephemeral_to: str | None = None


class SlackBook:
    """Reads and writes messages."""

    def __init__(self, database: Database, register: Register, clock: Clock) -> None:
        self._database = database
        self._register = register
        self._clock = clock

    def next_ts(self) -> str:
        """Seconds and six digits, higher than any before."""
        micros = self._database.next_number("slack_ts", int(self._clock() * 1_000_000))
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def post(self, post: Post) -> str:
        """Stores a message and returns its ts."""
        with self._database.transaction():
            ts = self.next_ts()
            self._database.run(
                "INSERT INTO slack_messages VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?)",
                post.channel,
                ts,
                post.thread_ts,
                post.text,
                json.dumps(with_block_ids(post.blocks, ts)),
                json.dumps(post.metadata) if post.metadata else None,
                post.ephemeral_to,
                post.broadcast,
            )
        return ts

    def update(self, channel: str, ts: str, changes: Json) -> None:
        """`changes` may hold text, blocks and metadata; what is absent stays."""
        row = self.row(channel, ts)
        if row is None:
            return
        blocks = with_block_ids(changes["blocks"], ts) if "blocks" in changes else json.loads(row["blocks"])
        metadata = changes.get("metadata", json.loads(row["metadata"]) if row["metadata"] else None)
        self._database.run(
            "UPDATE slack_messages SET text = ?, blocks = ?, metadata = ?, edited_ts = ?"
            " WHERE channel = ? AND ts = ?",
            changes.get("text", row["text"]),
            json.dumps(blocks),
            json.dumps(metadata) if metadata else None,
            self.next_ts(),
            channel,
            ts,
        )

    def delete(self, channel: str, ts: str) -> None:
        self._database.run("DELETE FROM slack_messages WHERE channel = ? AND ts = ?", channel, ts)

    def row(self, channel: str, ts: str) -> sqlite3.Row | None:
        return self._database.one("SELECT * FROM slack_messages WHERE channel = ? AND ts = ?", channel, ts)

    def message(self, row: sqlite3.Row, *, with_metadata: bool = True) -> Json:
        """The message as the Web API shows it."""
        app = self._register.slack.of_channel(row["channel"])
        message: Json = {
            "type": "message",
            "user": app.bot_user_id,
            "bot_id": app.bot_id,
            "app_id": app.app_id,
            "team": app.team_id,
            "ts": row["ts"],
            "text": row["text"],
            "blocks": json.loads(row["blocks"]),
        }
        if row["thread_ts"]:
            message["thread_ts"] = row["thread_ts"]
        if row["edited_ts"]:
            message["edited"] = {"user": app.bot_user_id, "ts": row["edited_ts"]}
        if with_metadata and row["metadata"]:
            message["metadata"] = json.loads(row["metadata"])
        return message

    def history(self, channel: str) -> list[sqlite3.Row]:
        """What everybody sees in the channel itself, oldest first."""
        return self._database.all(
            "SELECT * FROM slack_messages WHERE channel = ? AND ephemeral_to IS NULL"
            " AND (thread_ts IS NULL OR thread_ts = ts OR broadcast) ORDER BY ts",
            channel,
        )

    def thread(self, channel: str, ts: str) -> list[sqlite3.Row]:
        """The parent and what was answered, oldest first."""
        return self._database.all(
            "SELECT * FROM slack_messages WHERE channel = ? AND ephemeral_to IS NULL"
            " AND (ts = ? OR thread_ts = ?)"
            " ORDER BY ts",
            channel,
            ts,
            ts,
        )

    def visible_to(self, channel: str, user: str) -> list[sqlite3.Row]:
        """Everything this person sees, threads and own ephemerals too, oldest first."""
        return self._database.all(
            "SELECT * FROM slack_messages WHERE channel = ? AND coalesce(ephemeral_to, ?) = ? ORDER BY ts",
            channel,
            user,
            user,
        )

    def with_buttons(self) -> list[Json]:
        """Messages for everybody that may still have buttons, oldest first."""
        rows = self._database.all(
            "SELECT * FROM slack_messages WHERE ephemeral_to IS NULL"
            " AND instr(blocks, '\"actions\"') > 0 ORDER BY ts"
        )
        return [{**self.message(row), "channel": row["channel"]} for row in rows]

    def everything(self, channels: list[str] | None = None) -> list[Json]:
        """For the control door: all messages with all that is known of them."""
        rows = self._database.all("SELECT * FROM slack_messages ORDER BY ts")
        return [
            {**self.message(row), "channel": row["channel"], "ephemeral_to": row["ephemeral_to"]}
            for row in rows
            if channels is None or row["channel"] in channels
        ]

    def response_token(self, channel: str, ts: str, user: str) -> str:
        """A new capability to answer one click."""
        token = secrets.token_urlsafe(18)
        expires = self._clock() + RESPONSE_URL_LIFE_S
        self._database.run(
            "INSERT INTO slack_response_urls VALUES (?, ?, ?, ?, 0, ?)", token, channel, ts, user, expires
        )
        return token

    def use_response_token(self, token: str) -> sqlite3.Row | None:
        """The click a token belongs to; None when it is unknown, too old or used up."""
        with self._database.transaction():
            row = self._database.one("SELECT * FROM slack_response_urls WHERE token = ?", token)
            if row is None or row["expires"] < self._clock() or row["uses"] >= RESPONSE_URL_USES:
                return None
            self._database.run("UPDATE slack_response_urls SET uses = uses + 1 WHERE token = ?", token)
        return row
