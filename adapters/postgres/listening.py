"""Hears what commits tell on a channel, on a connection of its own."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import structlog
from psycopg import sql
from sqlalchemy import make_url

from adapters.postgres.session import connection_options

log = structlog.get_logger("adapters.listening")

RECONNECT_AFTER_S = 1.0


async def listen(url: str, channel: str, heard: Callable[[str | None], None]) -> None:
    """Calls `heard` with what each commit told, and with None after every new connection.

    What is told while nobody is connected is lost, so whoever listens also looks. Ends by cancellation.
    """
    while True:
        try:
            await _listen(url, channel, heard)
        except (psycopg.Error, OSError) as error:
            log.warning("channel_unheard", channel=channel, error=type(error).__name__)
        await asyncio.sleep(RECONNECT_AFTER_S)


async def _listen(url: str, channel: str, heard: Callable[[str | None], None]) -> None:
    # In parts: libpq reads some characters of an address otherwise than SQLAlchemy does.
    place: dict[str, Any] = make_url(url).translate_connect_args(username="user", database="dbname")
    connection = await psycopg.AsyncConnection.connect(autocommit=True, **(place | connection_options(url)))
    async with connection:
        await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        heard(None)  # for what was committed while nobody listened
        async for told in connection.notifies():
            heard(told.payload)
