"""Reads decisions in bulk, with the whole input of each, from a cursor of the server (role `app`)."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, select

from adapters.postgres.session import Database
from adapters.postgres.tables import decisions
from domain.conversation import TextModel
from domain.decision import Obligations, Reason, Verdict
from domain.model import Digest

PAGE = 500


class RecordedDecision(TextModel):
    """What was decided, from what; `input` is JSON."""

    id: str
    ticket_id: UUID
    action_type: str
    action_digest: Digest
    verdict: Verdict
    policy_version: Digest
    reasons: tuple[Reason, ...]
    obligations: Obligations | None
    input: str


@dataclass(frozen=True)
class Chosen:
    """Decisions of a tenant since a moment; of one agent, or of all where `agent` is None."""

    tenant_id: UUID
    since: datetime
    agent: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """For a query."""
        agent = decisions.c.input[("agent", "id")].as_string()
        return [
            decisions.c.tenant_id == self.tenant_id,
            decisions.c.decided_at >= self.since,
            decisions.c.effect_id.is_(None),  # not those made once more as an effect left
            *([agent == self.agent] if self.agent is not None else []),
        ]


class RecordedDecisions:
    """Works as `app`. Memory does not grow with the number of decisions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, chosen: Chosen) -> int:
        """How many `read` gives."""
        query = select(func.count()).select_from(decisions).where(*chosen.conditions())
        async with self._database.transaction(chosen.tenant_id) as session:
            return int((await session.execute(query)).scalar_one())

    async def read(self, chosen: Chosen) -> AsyncGenerator[RecordedDecision, None]:
        """Ticket by ticket, the oldest decision of each first."""
        columns = (decisions.c[name] for name in RecordedDecision.model_fields if name != "input")
        query = (
            select(*columns, cast(decisions.c.input, Text).label("input"))
            .where(*chosen.conditions())
            .order_by(decisions.c.ticket_id, decisions.c.decided_at, decisions.c.id)
            .execution_options(yield_per=PAGE)
        )
        async with self._database.transaction(chosen.tenant_id) as session:
            async for row in await session.stream(query):
                yield RecordedDecision.model_validate(row._asdict())
