"""The `Decisions` port: the append-only decision log with each complete input."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Database
from adapters.postgres.tables import decisions
from domain.decision import EngineAnswer, PolicyDecision, PolicyInput
from domain.model import DecisionId, EffectKey
from domain.ticket import TicketRef

Recorded = Callable[[Sequence[tuple[PolicyDecision, PolicyInput, EngineAnswer]]], None]


def _nobody(made: Sequence[tuple[PolicyDecision, PolicyInput, EngineAnswer]]) -> None:
    """Nobody wants to hear of it."""


class PostgresDecisions:
    """Works as `app`, which can add decisions and never change one. `recorded` hears of them afterwards."""

    def __init__(self, database: Database, recorded: Recorded = _nobody) -> None:
        self._database = database
        self._recorded = recorded

    async def record(
        self,
        made: Sequence[tuple[PolicyDecision, PolicyInput, EngineAnswer]],
        latency_us: int,
        effect: EffectKey | None = None,
    ) -> None:
        """One statement for the whole plan of a turn. The same decision made again adds nothing."""
        if not made:
            return
        told = {"latency_us": latency_us, "effect_id": effect}
        rows = [_row(decision, input_, answer) | told for decision, input_, answer in made]
        async with self._database.transaction(made[0][1].tenant_id) as session:
            await session.execute(insert(decisions).values(rows).on_conflict_do_nothing())
        self._recorded(made)

    async def decided(
        self, ticket: TicketRef, decision_id: DecisionId
    ) -> tuple[PolicyDecision, PolicyInput] | None:
        """A decision about the ticket with its complete input; None where there is none."""
        query = select(decisions).where(
            decisions.c.tenant_id == ticket.tenant_id,
            decisions.c.ticket_id == ticket.ticket_id,
            decisions.c.id == decision_id,
        )
        async with self._database.transaction(ticket.tenant_id) as session:
            row = (await session.execute(query)).mappings().first()
        return _decided(row) if row else None


def _decided(row: RowMapping) -> tuple[PolicyDecision, PolicyInput]:
    decision = PolicyDecision(
        decision_id=row["id"],
        action=row["action_type"],
        verdict=row["verdict"],
        reasons=row["reasons"],
        obligations=row["obligations"],
        policy_version=row["policy_version"],
        action_digest=row["action_digest"],
        input_digest=row["input_digest"],
    )
    return decision, PolicyInput.model_validate(row["input"])


def _row(decision: PolicyDecision, input_: PolicyInput, answer: EngineAnswer) -> dict[str, Any]:
    obligations = decision.obligations
    return {
        "tenant_id": input_.tenant_id,
        "id": decision.decision_id,
        "ticket_id": input_.ticket_id,
        "turn": input_.ticket.turn,
        "action_type": input_.action.type,
        "action_digest": decision.action_digest,
        "verdict": decision.verdict,
        "policy_version": decision.policy_version,
        "input_digest": decision.input_digest,
        "input": input_.model_dump(mode="json", exclude_none=True),
        "reasons": [reason.model_dump(mode="json") for reason in decision.reasons],
        "obligations": obligations.model_dump(mode="json") if obligations else None,
        "messages": list(answer.messages),
        "rules_considered": answer.rules_considered,
    }
