"""The helpdesk's REST door, as a small real helpdesk has it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, Field

from emulators.problems import Refused, require_bearer
from emulators.ticket_book import TicketBook, message_json
from emulators.tickets import Author, Json, Status, Words
from emulators.world import TheWorld


def authorize(brand: str, request: Request, world: TheWorld) -> None:
    """Checks the brand's own token; an unknown brand looks like a wrong token."""
    settings = world.register.brand(brand)
    require_bearer(request, settings.helpdesk_token if settings else None)


router = APIRouter(prefix="/helpdesk/{brand}/api", dependencies=[Depends(authorize)])


class Body(BaseModel):
    """A reply or a note."""

    body: str = Field(min_length=1, max_length=65_000)


class StatusChange(BaseModel):
    """A ticket's new status."""

    status: Status


class Tags(BaseModel):
    """Tags to add."""

    tags: list[Annotated[str, Field(min_length=1, max_length=100)]]


Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)]


@router.get("/tickets")
async def list_tickets(brand: str, world: TheWorld, updated_since: str = "") -> Json:
    return {"tickets": world.tickets.tickets(brand, updated_since)}


@router.get("/tickets/{ticket_id}")
async def read_ticket(brand: str, ticket_id: str, world: TheWorld) -> Json:
    return world.tickets.conversation(brand, ticket_id)


@router.post("/tickets/{ticket_id}/replies", status_code=201)
async def reply(  # noqa: PLR0913 - FastAPI hands each part of the request over by name
    *, brand: str, ticket_id: str, body: Body, world: TheWorld, response: Response, key: Key = None
) -> Json:
    words = Words(Author.AUTOMATION, body.body, public=True, reference=key)
    message, response.status_code = _write_once(world.tickets, brand, ticket_id, words)
    return message


@router.post("/tickets/{ticket_id}/notes", status_code=201)
async def add_note(  # noqa: PLR0913 - as above
    *, brand: str, ticket_id: str, body: Body, world: TheWorld, response: Response, key: Key = None
) -> Json:
    words = Words(Author.AUTOMATION, body.body, public=False, reference=key)
    message, response.status_code = _write_once(world.tickets, brand, ticket_id, words)
    return message


@router.patch("/tickets/{ticket_id}")
async def change_status(brand: str, ticket_id: str, change: StatusChange, world: TheWorld) -> Json:
    world.tickets.ticket(brand, ticket_id)
    world.tickets.set_status(brand, ticket_id, change.status)
    return world.tickets.ticket(brand, ticket_id)


@router.post("/tickets/{ticket_id}/tags")
async def add_tags(brand: str, ticket_id: str, tags: Tags, world: TheWorld) -> Json:
    return {"tags": world.tickets.add_tags(brand, ticket_id, tags.tags)}


def _write_once(book: TicketBook, brand: str, ticket_id: str, words: Words) -> tuple[Json, int]:
    book.ticket(brand, ticket_id)
    earlier = book.written_as(brand, words.reference) if words.reference else None
    if earlier is None:
        return book.message(brand, book.write(brand, ticket_id, words)), 201
    same = (earlier["ticket_id"], earlier["body"], bool(earlier["public"])) == (
        ticket_id,
        words.body,
        words.public,
    )
    if not same:
        raise Refused(409, "idempotency_conflict", "This Idempotency-Key was used for another message")
    return message_json(earlier), 200
