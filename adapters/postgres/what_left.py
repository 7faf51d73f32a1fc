"""The `WhatLeft` port: sums over windows of the ledger, all of them in one round trip."""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import RowMapping, text

from adapters.postgres.session import Database
from domain.counting import Own, Window
from domain.decision import CounterInput

COUNT = text("""
    select * from count_what_left(:tenant, cast(:windows as jsonb), :ticket, cast(:proposed as text[]), :key)
""")


class PostgresWhatLeft:
    """Works as `app`, by the database's clock, which also says when an effect was claimed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counted(
        self, tenant_id: UUID, windows: Sequence[Window], own: Own
    ) -> Mapping[Window, CounterInput]:
        """Every window; one in which nothing left has zeros."""
        asked = [_asked(place, window) for place, window in enumerate(windows)]
        values = {
            "tenant": tenant_id,
            "windows": json.dumps(asked),
            "ticket": own.ticket_id,
            "proposed": [*own.proposed],
            "key": own.key,
        }
        rows = await self._database.call(COUNT, values)
        return {
            window: _counter([row for row in rows if row["place"] == place])
            for place, window in enumerate(windows)
        }


def _asked(place: int, window: Window) -> dict[str, object]:
    counter = window.counter
    return {
        "place": place,
        "action": counter.action,
        "per": counter.per,
        "within_s": counter.within_s,
        "subject": window.subject,
    }


def _counter(rows: Sequence[RowMapping]) -> CounterInput:
    return CounterInput(
        count=sum(row["effects"] for row in rows),
        amounts={row["currency"]: row["minor_units"] for row in rows if row["currency"] is not None},
    )
