"""Sends the helpdesks' webhooks: signed, a few at a time, again until a 2xx, and on after a restart."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

from emulators.clock import Clock
from emulators.database import Database
from emulators.register import Register

AT_ONCE = 8
TIMEOUT_S = 10.0
# Waits after the first, second, … failure; after the last one the delivery is given up and shown as failed.
WAITS_S = (2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 150.0, 180.0)
IDLE_S = 3600.0


class Webhooks:
    """An outbox table and the task that empties it."""

    def __init__(
        self,
        *,
        database: Database,
        register: Register,
        http: httpx.AsyncClient,
        clock: Clock,
        waits_s: tuple[float, ...] = WAITS_S,
    ) -> None:
        self._waits_s = waits_s
        self._database = database
        self._register = register
        self._http = http
        self._clock = clock
        self._wake = asyncio.Event()
        self._in_flight: set[int] = set()

    def announce(self, brand: str, ticket_id: str, payload: Mapping[str, object], copies: int = 1) -> None:
        """Queues a delivery; copies, now or later, have the same webhook id, as an impatient sender's do."""
        body = json.dumps(payload, separators=(",", ":"))
        earlier = self._database.one(
            "SELECT webhook_id FROM deliveries WHERE brand = ? AND ticket_id = ? AND body = ?",
            brand,
            ticket_id,
            body,
        )
        webhook_id = earlier["webhook_id"] if earlier else f"msg_{uuid4().hex}"
        for _ in range(copies):
            self._database.run(
                "INSERT INTO deliveries (brand, ticket_id, webhook_id, body, state, attempts, not_before)"
                " VALUES (?, ?, ?, ?, 'pending', 0, ?)",
                brand,
                ticket_id,
                webhook_id,
                body,
                self._clock(),
            )
        self._wake.set()

    def send_again(self) -> None:
        """Gives deliveries that were given up another round."""
        self._database.run(
            "UPDATE deliveries SET state = 'pending', attempts = 0, not_before = ? WHERE state = 'failed'",
            self._clock(),
        )
        self._wake.set()

    async def run(self) -> None:
        """Runs until cancelled; what was in flight then is sent again after the next start."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                for row in self._due():
                    self._in_flight.add(row["position"])
                    group.create_task(self._deliver(row))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._seconds_to_next())

    def _due(self) -> list[sqlite3.Row]:
        free = AT_ONCE - len(self._in_flight)
        rows = self._database.all(
            "SELECT * FROM deliveries WHERE state = 'pending' AND not_before <= ?"
            " ORDER BY not_before, position LIMIT ?",
            self._clock(),
            AT_ONCE + free,
        )
        return [row for row in rows if row["position"] not in self._in_flight][:free]

    def _seconds_to_next(self) -> float:
        if len(self._in_flight) >= AT_ONCE:
            return IDLE_S  # the end of one of them wakes us
        rows = self._database.all(
            "SELECT position, not_before FROM deliveries WHERE state = 'pending' ORDER BY not_before LIMIT ?",
            AT_ONCE,
        )
        waiting = [row["not_before"] for row in rows if row["position"] not in self._in_flight]
        return max(0.01, min(waiting) - self._clock()) if waiting else IDLE_S

    async def _deliver(self, row: sqlite3.Row) -> None:
        try:
            status = await self._post(row)
            self._record(row, status)
        finally:
            self._in_flight.discard(row["position"])
            self._wake.set()

    async def _post(self, row: sqlite3.Row) -> int | None:
        brand = self._register.brand(row["brand"])
        if brand is None or brand.webhook is None:
            return None
        now = datetime.fromtimestamp(self._clock(), UTC)
        headers = {
            "content-type": "application/json",
            "user-agent": "EmulatedHelpdesk/1.0",
            "webhook-id": row["webhook_id"],
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(brand.webhook.secret).sign(row["webhook_id"], now, row["body"]),
        }
        try:
            answer = await self._http.post(
                brand.webhook.url, content=row["body"].encode(), headers=headers, timeout=TIMEOUT_S
            )
        except (httpx.HTTPError, httpx.InvalidURL):
            return None  # nobody there, or too slow: the retry is the answer to both
        return answer.status_code

    def _record(self, row: sqlite3.Row, status: int | None) -> None:
        attempts = row["attempts"] + 1
        if status is not None and 200 <= status < 300:
            state, wait = "delivered", 0.0
        elif attempts > len(self._waits_s):
            state, wait = "failed", 0.0
        else:
            state, wait = "pending", self._waits_s[attempts - 1]
        self._database.run(
            "UPDATE deliveries SET state = ?, attempts = ?, not_before = ?, last_status = ?"
            " WHERE position = ?",
            state,
            attempts,
            self._clock() + wait,
            status,
            row["position"],
        )
