"""Writes down what a teammate thinks of a handoff. The database has the last word."""

from http import HTTPStatus

from adapters.postgres.queue import QueueLine
from api.doors import PageDoors
from api.problems import Problem
from api.visitor import Visitor
from domain.judgement import HandoffVerdict, JudgementRefusal, JudgementRefused
from domain.ticket import TicketRef

STATUSES = {
    JudgementRefusal.UNKNOWN_PRINCIPAL: HTTPStatus.FORBIDDEN,
    JudgementRefusal.NOT_ENTITLED: HTTPStatus.FORBIDDEN,
    JudgementRefusal.UNKNOWN_TICKET: HTTPStatus.NOT_FOUND,
    JudgementRefusal.NOT_HANDED_OVER: HTTPStatus.CONFLICT,
}


class JudgementNotTaken(Problem):
    """Nothing was written."""

    def __init__(self, refused: JudgementRefused) -> None:
        super().__init__(
            STATUSES[refused.why], f"judgement_refused.{refused.why}", "This was not done", str(refused)
        )


async def judge(doors: PageDoors, visitor: Visitor, line: QueueLine, verdict: HandoffVerdict) -> None:
    """Raises `JudgementNotTaken`."""
    who = visitor.principal
    ticket = TicketRef(tenant_id=who.tenant_id, route=line.route)
    try:
        await doors.judgements.judge(ticket, who.principal_id, verdict)
    except JudgementRefused as refused:
        raise JudgementNotTaken(refused) from None
