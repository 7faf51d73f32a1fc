"""Planted faults: what the outside does to us on a bad day, on order of the control door."""

import asyncio
import json
import re
import sqlite3
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulators.database import Database

SURFACES = {
    "slack": re.compile(r"^/slack/api/"),
    "helpdesk": re.compile(r"^/helpdesk/[^/]+/api/"),
    "shop": re.compile(r"^/shop/[^/]+/api/"),
    "payments": re.compile(r"^/payments/api/"),
}


class Surface(StrEnum):
    """Which emulator misbehaves."""

    SLACK = "slack"
    HELPDESK = "helpdesk"
    SHOP = "shop"
    PAYMENTS = "payments"


class Kind(StrEnum):
    """How it misbehaves."""

    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    RATELIMITED = "ratelimited"


class Fault(BaseModel):
    """One order of bad weather."""

    model_config = ConfigDict(extra="forbid")

    surface: Surface
    kind: Kind
    times: int = Field(default=1, ge=1)
    path: str = ""
    seconds: float = Field(default=30.0, ge=0)


class FaultBook:
    """Orders that are not used up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def order(self, fault: Fault) -> None:
        self._database.run(
            "INSERT INTO faults (surface, kind, times, path, seconds) VALUES (?, ?, ?, ?, ?)",
            fault.surface.value,
            fault.kind.value,
            fault.times,
            fault.path,
            fault.seconds,
        )

    def ordered(self) -> list[dict[str, Any]]:
        rows = self._database.all("SELECT surface, kind, times, path, seconds FROM faults ORDER BY position")
        return [dict(row) for row in rows]

    def take(self, path: str) -> Fault | None:
        """The fault that hits this request, counted down."""
        surface = next((name for name, pattern in SURFACES.items() if pattern.match(path)), None)
        row = self._first(surface, path) if surface else None
        if row is None:
            return None
        with self._database.transaction():
            self._database.run("UPDATE faults SET times = times - 1 WHERE position = ?", row["position"])
            self._database.run("DELETE FROM faults WHERE times <= 0")
        return Fault(surface=row["surface"], kind=row["kind"], path=row["path"], seconds=row["seconds"])

    def _first(self, surface: str, path: str) -> sqlite3.Row | None:
        return self._database.one(
            "SELECT * FROM faults WHERE surface = ? AND instr(?, path) > 0 ORDER BY position LIMIT 1",
            surface,
            path,
        )


class FaultyDoor:
    """Stands in front of all APIs and plays the ordered faults."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fault = FaultBook(scope["app"].state.world.database).take(scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._play(fault, scope, receive, send)

    async def _play(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        match fault.kind:
            case Kind.ERROR_BEFORE:
                await _answer(send, 500)
            case Kind.UNAVAILABLE:
                await _answer(send, 503)
            case Kind.RATELIMITED:
                await _answer(send, 429, retry_after=max(1, round(fault.seconds)))
            case Kind.ERROR_AFTER:
                await self._app(scope, receive, _swallow)
                await _answer(send, 500)
            case Kind.TIMEOUT:
                await self._app(scope, receive, _swallow)
                await _hold(receive, fault.seconds)
                await _answer(send, 504)


async def _swallow(_message: Message) -> None:
    """The work is done and its answer is lost."""


async def _hold(receive: Receive, seconds: float) -> None:
    # Ends early when the caller gives up, so that nothing hangs at shutdown.
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                continue
    except TimeoutError:
        return


async def _answer(send: Send, status: int, retry_after: int | None = None) -> None:
    body = json.dumps(
        {"ok": False, "error": "ratelimited" if status == 429 else "internal_error", "status": status}
    )
    headers = [(b"content-type", b"application/json")]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
