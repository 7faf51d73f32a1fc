"""`/queue`: what waits for whom, newest first. `/` leads there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from adapters.postgres.page_records import NumberState
from adapters.postgres.queue import Before, QueueLine, QueuePage, QueueView
from api import words
from api.doors import PageDoors
from api.links import Links, links_of
from api.pages import page, see
from api.problems import Problem
from api.visitor import Doorkeeper, Visitor
from domain.conversation import TextModel
from domain.model import RecordId
from domain.ownership import ADMIN_ROLE, TEAMMATE_ROLE
from domain.ticket import TicketRef

QUEUE = "/queue"
LONGEST_NUMBER = 200


class ShownTicket(TextModel):
    """One ticket in people's words."""

    line: QueueLine
    links: Links
    number: str
    stage: str
    because: str  # empty where the stage says it
    waiting_for: str
    urgency: str
    due: str
    holder: str
    may: tuple[str, ...]  # which commands make sense


class Tab(TextModel):
    """One view with its count."""

    view: QueueView
    title: str
    count: int
    href: str


def queue_router(doors: PageDoors, doorkeeper: Doorkeeper) -> APIRouter:
    """The list that teammates work from."""
    router = APIRouter(include_in_schema=False)
    reader = Annotated[Visitor, Depends(doorkeeper.reader)]

    @router.get("/")
    async def lead_to_queue() -> Response:
        """There is nothing else to see first."""
        return see(QUEUE)

    @router.get(QUEUE)
    async def show_queue(
        request: Request,
        visitor: reader,
        show: QueueView = QueueView.ALL,
        before: str = "",
        number: Annotated[str, Query(max_length=LONGEST_NUMBER)] = "",
    ) -> Response:
        """A page of tickets, or the one whose number was asked for."""
        principal = visitor.principal
        asked = number.strip().removeprefix("#")
        found = await doors.finder.numbered(principal.tenant_id, asked) if asked else None
        if found is not None:
            return see(f"/tickets/{found}")
        shown = await doors.queue.page(principal.tenant_id, principal.principal_id, show, before_of(before))
        return page(
            request,
            "queue.html",
            visitor,
            tabs=_tabs(shown),
            view=show,
            title=words.VIEWS[show],
            tickets=await shown_tickets(doors, visitor, shown.lines),
            unroutable=shown.unroutable,
            older=_older(show, shown),
            newest=not before,
            missed=asked,
        )

    return router


async def shown_tickets(
    doors: PageDoors, visitor: Visitor, lines: Sequence[QueueLine]
) -> Sequence[ShownTicket]:
    """The same rows in words, with names and links; two statements for all of them."""
    tenant_id = visitor.principal.tenant_id
    places = await doors.records.places(tenant_id)
    names = await doors.records.names(tenant_id, {line.held_by for line in lines if line.held_by})
    shown = []
    for line in lines:
        ticket = TicketRef(tenant_id=tenant_id, route=line.route)
        shown.append(
            ShownTicket(
                line=line,
                links=links_of(line, ticket, places, doors.elsewhere),
                number=number_words(line),
                stage=words.said(words.STAGES, line.stage),
                because=words.because(line),
                waiting_for=words.waiting_for(line, mine=line.held_by == visitor.principal.principal_id),
                urgency=words.urgency(line),
                due=words.until(line.due, line.now) if line.due else "",
                holder=holder(line, names, visitor),
                may=commands_for(line, visitor),
            )
        )
    return shown


def number_words(line: QueueLine) -> str:
    """As people find it in the helpdesk, or why not."""
    match line.number.state:
        case NumberState.KNOWN:
            return line.number.text
        case NumberState.ERASED:
            return "erased"
        case NumberState.NOT_KNOWN:
            return "number not read yet"


def holder(line: QueueLine, names: Mapping[RecordId, str], visitor: Visitor) -> str:
    """Who speaks on the ticket."""
    if line.owner == "automation":
        return "Automation"
    if line.held_by is None:
        return "The team"
    if line.held_by == visitor.principal.principal_id:
        return "You"
    return names.get(line.held_by, "A teammate")


def commands_for(line: QueueLine, visitor: Visitor) -> tuple[str, ...]:
    """What the visitor could tell the ticket now; the database has the last word."""
    who = visitor.principal
    if not who.groups and not {TEAMMATE_ROLE, ADMIN_ROLE} & set(who.roles):
        return ()
    stopped = line.reason == "stopped"
    mine = line.held_by == who.principal_id
    possible = {
        "take_over": not mine or stopped,
        "hand_back": line.owner == "teammate" and (line.held_by is None or mine or ADMIN_ROLE in who.roles),
        "stop": not stopped,
    }
    return tuple(command for command, sensible in possible.items() if sensible)


def before_of(text: str) -> Before | None:
    """`2026-11-24T10:00:00+00:00_<ticket id>`; raises a problem for anything else."""
    if not text:
        return None
    at, _, ticket_id = text.partition("_")
    try:
        before = Before(at=datetime.fromisoformat(at), id=UUID(ticket_id))
    except ValueError:
        raise NoSuchPage from None
    if before.at.tzinfo is None:
        raise NoSuchPage
    return before


class NoSuchPage(Problem):
    """The address was not made by us."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.UNPROCESSABLE_ENTITY, "unprocessable", "This page of the queue does not exist"
        )


def after(page_: QueuePage) -> str:
    """Where the next page begins; empty on the last."""
    last = page_.lines[-1] if page_.more else None
    return f"{last.updated_at.isoformat()}_{last.id}" if last else ""


def _older(view: QueueView, shown: QueuePage) -> str:
    following = after(shown)
    return f"{QUEUE}?{urlencode({'show': view, 'before': following})}" if following else ""


def _tabs(shown: QueuePage) -> Sequence[Tab]:
    return [
        Tab(view=view, title=title, count=shown.counts[view], href=f"{QUEUE}?{urlencode({'show': view})}")
        for view, title in words.VIEWS.items()
    ]
