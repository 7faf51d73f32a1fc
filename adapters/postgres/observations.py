"""What candidates would have decided: the worker adds (role `app`), compliance reads (role `door`)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Database
from adapters.postgres.tables import candidate_differences, candidate_observations
from domain.conversation import TextModel
from domain.decision import Verdict
from domain.model import Digest
from domain.observation import COUNTS, Observation, Observed

BY_RULE = text("""
    with of_rules as (
        select d.*, made.decided_at, unnest(d.rules) as rule
          from candidate_differences d
          join decisions made on made.tenant_id = d.tenant_id and made.id = d.decision_id
         where d.tenant_id = :tenant and d.candidate = :candidate
    ), ranked as (
        select *, row_number() over (kind order by decided_at desc, decision_id) as place,
            count(*) over kind as decisions, bool_or(rule = any(must_hold)) over kind as is_marked
          from of_rules window kind as (partition by rule, verdict, candidate_verdict)
    )
    select rule, verdict, candidate_verdict, decisions, is_marked as must_hold,
        array_agg(ticket_id order by place) as tickets, array_agg(decision_id order by place) as examples
      from ranked where place <= :examples
     group by rule, verdict, candidate_verdict, decisions, is_marked
     order by decisions desc, rule, verdict, candidate_verdict
""")


class RuleDifference(TextModel):
    """Decisions that go from one verdict to another because of a rule, with the newest as examples."""

    rule: str
    verdict: Verdict
    candidate_verdict: Verdict
    decisions: int
    tickets: tuple[UUID, ...]
    examples: tuple[str, ...]
    must_hold: bool


class Observations:
    """Works as `app`, which can add and never read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, observations: Sequence[Observation]) -> None:
        """A batch of one tenant in one transaction. A difference that is known already adds nothing."""
        differences = [row for each in observations for row in _differences(each)]
        async with self._database.transaction(observations[0].tenant_id) as session:
            await session.execute(
                insert(candidate_observations).values([_counts(each) for each in observations])
            )
            if differences:
                await session.execute(
                    insert(candidate_differences).values(differences).on_conflict_do_nothing()
                )


class ObservationRecords:
    """Works as `door`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def observed(self, tenant_id: UUID, file: Digest | None = None) -> Sequence[Observed]:
        """Each candidate, the last observed first; only those made with a file of this version, if given."""
        table = candidate_observations
        sums = [func.sum(table.c[name]).label(name) for name in COUNTS]
        span = func.min(table.c.began_at).label("since"), func.max(table.c.ended_at).label("until")
        query = select(table.c.candidate, *span, *sums).where(table.c.tenant_id == tenant_id)
        if file is not None:
            query = query.where(table.c.files.contains([file]))
        query = query.group_by(table.c.candidate).order_by(func.max(table.c.ended_at).desc())
        async with self._database.transaction(tenant_id) as session:
            return [Observed.model_validate(dict(row)) for row in (await session.execute(query)).mappings()]

    async def by_rule(
        self, tenant_id: UUID, candidate: Digest, examples: int = 3
    ) -> Sequence[RuleDifference]:
        """The most frequent first."""
        wanted = {"tenant": tenant_id, "candidate": candidate, "examples": examples}
        async with self._database.transaction(tenant_id) as session:
            rows = (await session.execute(BY_RULE, wanted)).mappings().all()
        return [RuleDifference.model_validate(dict(row)) for row in rows]


def _counts(observation: Observation) -> dict[str, Any]:
    row = observation.model_dump(exclude={"differences"})
    return row | {"files": list(observation.files), "different": len(observation.differences)}


def _differences(observation: Observation) -> list[dict[str, Any]]:
    of_all = {
        "tenant_id": observation.tenant_id,
        "candidate": observation.candidate,
        "files": list(observation.files),
    }
    return [of_all | each.model_dump(mode="json") for each in observation.differences]
