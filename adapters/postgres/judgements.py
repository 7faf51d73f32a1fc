"""What people think of handoffs: database functions that authorise, write and audit in one transaction."""

from typing import Any

from sqlalchemy import TextClause, text

from adapters.postgres.session import Database
from domain.judgement import HandoffStanding, HandoffVerdict, Judgement, JudgementRefusal, JudgementRefused
from domain.model import RecordId
from domain.ticket import TicketRef

JUDGE = text("select judge_handoff(:tenant, :ticket, :principal, :verdict) as answer")
STANDING = text("select handoff_standing(:tenant, :ticket) as answer")


class PostgresJudgements:
    """Works as `app` and as `door`: both may call the functions and neither may write a judgement itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def judge(self, ticket: TicketRef, principal: RecordId, verdict: HandoffVerdict) -> Judgement:
        """Raises `JudgementRefused`. Repeating is safe."""
        answer = await self._call(JUDGE, ticket, {"principal": principal, "verdict": verdict})
        if "refusal" in answer:
            raise JudgementRefused(JudgementRefusal(answer["refusal"]))
        return Judgement.model_validate(answer)

    async def standing(self, ticket: TicketRef) -> HandoffStanding:
        """For whoever looks at the ticket."""
        return HandoffStanding.model_validate(await self._call(STANDING, ticket, {}))

    async def _call(self, function: TextClause, ticket: TicketRef, values: dict[str, Any]) -> Any:
        named = {"tenant": ticket.tenant_id, "ticket": ticket.ticket_id, **values}
        return (await self._database.call(function, named))[0]["answer"]
