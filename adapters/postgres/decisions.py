"""The `Decisions` port: the append-only decision log with each complete input."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Database
from adapters.postgres.tables import decisions
from domain.decision import EngineAnswer, PolicyDecision, PolicyInput

Recorded = Callable[[Sequence[tuple[PolicyDecision, PolicyInput, EngineAnswer]]], None]


def _nobody(made: Sequence[tuple[PolicyDecision, PolicyInput, EngineAnswer]]) -> None:
    """Nobody wants to hear of it."""


class PostgresDecisions:
    """Works as `app`, which can add decisions and never change one. `recorded` hears of them afterwards."""

    def __init__(self, database: Database, recorded: Recorded = _nobody) -> None:
        self._database = database
        self._recorded = recorded

    async def record(
        self, made: Sequence[tuple[PolicyDecision, PolicyInput, EngineAnswer]], latency_us: int
    ) -> None:
        """One statement for the whole plan of a turn. The same decision made again adds nothing."""
        if not made:
            return
        rows = [_row(decision, input_, answer, latency_us) for decision, input_, answer in made]
        async with self._database.transaction(made[0][1].tenant_id) as session:
            await session.execute(insert(decisions).values(rows).on_conflict_do_nothing())
        self._recorded(made)


def _row(
    decision: PolicyDecision, input_: PolicyInput, answer: EngineAnswer, latency_us: int
) -> dict[str, Any]:
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
        "latency_us": latency_us,
    }
