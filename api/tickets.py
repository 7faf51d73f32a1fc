"""`/tickets/{id}`: where one ticket stands, what was decided and done, and buttons to tell it something."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from adapters.operator_words import Word
from adapters.postgres.queue import QueueLine
from api.decision_words import told_approvals, told_decisions, told_effects
from api.doors import PageDoors
from api.judging import judge
from api.operator_commands import OperatorCommands
from api.pages import page, see
from api.problems import NoSuchDoor
from api.queue import shown_tickets
from api.visitor import Doorkeeper, Visitor
from domain.judgement import HandoffVerdict
from domain.ownership import RunWord
from domain.ticket import TicketRef

DONE = {
    Word.TAKE_OVER: "You hold this ticket now. No automated message leaves any more.",
    Word.HAND_BACK: "Automation owns this ticket again.",
    Word.STOP: "Automation has stopped on this ticket.",
}
RUN = {
    RunWord.TOLD: "",
    RunWord.NO_RUN: "Nothing was running for it.",
    RunWord.LATER: "Its workflow has not answered yet; it is told as soon as it does.",
}


def ticket_router(doors: PageDoors, doorkeeper: Doorkeeper, commands: OperatorCommands) -> APIRouter:
    """One ticket, for people."""
    router = APIRouter(include_in_schema=False)
    reader = Annotated[Visitor, Depends(doorkeeper.reader)]
    writer = Annotated[Visitor, Depends(doorkeeper.writer)]

    @router.get("/tickets/{ticket_id}")
    async def show_ticket(
        ticket_id: UUID,
        request: Request,
        visitor: reader,
        done: Word | None = None,
        run: RunWord | None = None,
    ) -> Response:
        """The whole story of a ticket, without its text."""
        line = await line_of(doors, visitor, ticket_id)
        [ticket] = await shown_tickets(doors, visitor, [line])
        story = await doors.decisions.of_ticket(visitor.principal.tenant_id, ticket_id)
        reference = TicketRef(tenant_id=visitor.principal.tenant_id, route=line.route)
        handoff = await doors.judgements.standing(reference)
        people = {vote.principal_id for asked in story.approvals for vote in asked.votes}
        people |= {click.principal_id for asked in story.approvals for click in asked.refusals}
        names = await doors.records.names(visitor.principal.tenant_id, people)
        return page(
            request,
            "ticket.html",
            visitor,
            ticket=ticket,
            notice=f"{DONE[done]} {RUN[run or RunWord.TOLD]}".strip() if done else "",
            handoff=handoff,
            decisions=told_decisions(story.decisions),
            approvals=told_approvals(story.approvals, names, visitor.principal.principal_id),
            effects=told_effects(story.effects),
        )

    @router.post("/tickets/{ticket_id}/{word}")
    async def tell_ticket(ticket_id: UUID, word: Word, visitor: writer) -> Response:
        """Take over, hand back or stop, then look at the ticket."""
        line = await line_of(doors, visitor, ticket_id)
        answer = await commands.tell(word, line, visitor)
        return see(f"/tickets/{ticket_id}?done={word}&run={answer.run}")

    @router.post("/tickets/{ticket_id}/handoff/{verdict}")
    async def judge_handoff(ticket_id: UUID, verdict: HandoffVerdict, visitor: writer) -> Response:
        """Say whether the handoff was right, then look at the ticket."""
        await judge(doors, visitor, await line_of(doors, visitor, ticket_id), verdict)
        return see(f"/tickets/{ticket_id}#handoff")

    return router


async def line_of(doors: PageDoors, visitor: Visitor, ticket_id: UUID) -> QueueLine:
    """Raises the same problem for another tenant's ticket as for one that never was."""
    principal = visitor.principal
    line = await doors.queue.one(principal.tenant_id, principal.principal_id, ticket_id)
    if line is None:
        raise NoSuchDoor
    return line
