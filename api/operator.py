"""The operator API: the queue, tickets and decisions as JSON, and the words a teammate can tell a ticket.

A bearer token is enough; with a session cookie, what changes something also needs the page's form token
in `X-Form-Token`.
"""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.security import HTTPBearer

from adapters.operator_words import Word
from adapters.postgres.decision_records import DecisionStory
from adapters.postgres.queue import QueueLine, QueueView
from api.decisions import story_of
from api.doors import PageDoors
from api.operator_commands import OperatorCommands
from api.problems import MEDIA_TYPE, ProblemBody
from api.queue import after, before_of
from api.tickets import line_of
from api.visitor import Doorkeeper, Visitor
from domain.conversation import TextModel
from domain.ownership import OwnershipAnswer

BEARER = HTTPBearer(auto_error=False, description="An API token, as `countersign tenant token` prints it")


def _problems(**texts: str) -> dict[int | str, dict[str, Any]]:
    described = {"401": "Log in first", "429": "Too many failed logins", "503": "Try again later"} | {
        status.removeprefix("on_"): text for status, text in texts.items()
    }
    return {
        int(status): {
            "content": {MEDIA_TYPE: {"schema": ProblemBody.model_json_schema()}},
            "description": text,
        }
        for status, text in described.items()
    }


class OperatorPath(StrEnum):
    """The words as they stand in addresses."""

    TAKE_OVER = "take-over"
    HAND_BACK = "hand-back"
    STOP = "stop"


class TicketList(TextModel):
    """A page of tickets, newest first."""

    tickets: tuple[QueueLine, ...]
    counts: dict[QueueView, int]
    unroutable: int
    before: str  # give it back to get the next page; empty on the last


class TicketStory(TextModel):
    """One ticket with what was decided and done."""

    ticket: QueueLine
    story: DecisionStory


def operator_router(doors: PageDoors, doorkeeper: Doorkeeper, commands: OperatorCommands) -> APIRouter:
    """For programs and for tools of the team."""
    router = APIRouter(prefix="/api", tags=["operator"], dependencies=[Depends(BEARER)])
    reader = Annotated[Visitor, Depends(doorkeeper.reader)]
    writer = Annotated[Visitor, Depends(doorkeeper.writer)]

    @router.get("/tickets", responses=_problems(on_422="Not a view or page of the queue"))
    async def list_tickets(
        visitor: reader, show: QueueView = QueueView.ALL, before: Annotated[str, Query(max_length=100)] = ""
    ) -> TicketList:
        """Tickets of the token's tenant that belong to a view."""
        who = visitor.principal
        page = await doors.queue.page(who.tenant_id, who.principal_id, show, before_of(before))
        return TicketList(
            tickets=page.lines, counts=dict(page.counts), unroutable=page.unroutable, before=after(page)
        )

    @router.get(
        "/tickets/{ticket_id}", responses=_problems(on_404="No such ticket", on_422="Not a ticket id")
    )
    async def read_ticket(ticket_id: UUID, visitor: reader) -> TicketStory:
        """Where a ticket stands, its decisions, approvals and effects."""
        line = await line_of(doors, visitor, ticket_id)
        return TicketStory(
            ticket=line, story=await doors.decisions.of_ticket(visitor.principal.tenant_id, ticket_id)
        )

    @router.get("/decisions/{decision_id}", responses=_problems(on_404="No such decision"))
    async def read_decision(decision_id: str, visitor: reader) -> DecisionStory:
        """One decision with its complete input, its approval and its effects."""
        return await story_of(doors, visitor, decision_id)

    @router.post(
        "/tickets/{ticket_id}/{word}",
        responses=_problems(
            on_403="Not entitled, or not our form",
            on_404="No such ticket",
            on_409="Not possible as the ticket stands",
            on_422="Not a ticket id or not a word",
        ),
    )
    async def tell_ticket(ticket_id: UUID, word: OperatorPath, visitor: writer) -> OwnershipAnswer:
        """Take the ticket over, hand it back, or stop automation on it. Answers within ten seconds."""
        line = await line_of(doors, visitor, ticket_id)
        return await commands.tell(Word(word.value.replace("-", "_")), line, visitor)

    return router
