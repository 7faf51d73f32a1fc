"""Tells that something was committed to the inbox, the moment it was."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import structlog
from psycopg import sql
from sqlalchemy import make_url

from adapters.postgres.inbox import CHANNEL
from adapters.postgres.session import connection_options

log = structlog.get_logger("adapters.inbox_kicks")

RECONNECT_AFTER_S = 1.0


class InboxKicks:
    """Listens on a connection of its own. A kick can be lost, so whoever waits for one also sweeps."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def listen(self, *kicked: Callable[[], None]) -> None:
        """Calls each of `kicked` at every commit, and after every new connection. Ends by cancellation."""
        while True:
            try:
                await self._listen(kicked)
            except (psycopg.Error, OSError) as error:
                log.warning("inbox_unheard", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_AFTER_S)

    async def _listen(self, kicked: tuple[Callable[[], None], ...]) -> None:
        # In parts: libpq reads some characters of an address otherwise than SQLAlchemy does.
        place: dict[str, Any] = make_url(self._url).translate_connect_args(username="user", database="dbname")
        options = place | connection_options(self._url)
        connection = await psycopg.AsyncConnection.connect(autocommit=True, **options)
        async with connection:
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(CHANNEL)))
            _call(kicked)  # for what was committed while nobody listened
            async for _ in connection.notifies():
                _call(kicked)


def _call(kicked: tuple[Callable[[], None], ...]) -> None:
    for tell in kicked:
        tell()
