"""The generic helpdesk: our own documented REST format, read into a conversation."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict

from adapters.helpdesks.automatic_mail import is_automatic
from adapters.http import RestApi, segment
from domain.conversation import Author, Conversation, Message, Requester
from domain.errors import TicketNotFound

SOURCE = "generic"
OUR_REFERENCES = "eff_"  # effect keys, which went out as idempotency keys


def _with_a_zone(moment: datetime) -> datetime:
    """Times with and without a zone cannot be put in order; one without means UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class WireModel(BaseModel):
    """What a helpdesk answers; fields that we do not use are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class WireMessage(WireModel):
    """A message as the helpdesk has it."""

    id: str
    author: str
    body: str
    public: bool
    created_at: Annotated[datetime, AfterValidator(_with_a_zone)]
    reference: str | None = None
    subject: str | None = None  # of the mail, where the helpdesk keeps it
    mail_headers: dict[str, str] = {}


class WireRequester(WireModel):
    """Who asks, as the helpdesk knows them."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    address: str | None = None


class WireTicket(WireModel):
    """A ticket with all its messages."""

    id: str
    subject: str
    status: str
    requester: WireRequester
    tags: tuple[str, ...] = ()
    messages: tuple[WireMessage, ...] = ()
    merged_into: str | None = None
    spam: bool = False


def ticket_path(external_id: str, *rest: str) -> str:
    """Path of a ticket; the id comes from a webhook, so it is quoted."""
    return "/".join(("tickets", segment(external_id), *rest))


class GenericHelpdesk:
    """The `Helpdesk` port over the generic format."""

    def __init__(self, api: RestApi) -> None:
        self._api = api

    async def read(self, tenant_id: UUID, external_id: str) -> Conversation:
        """The ticket as it is now. Raises `TicketNotFound` while the helpdesk has not committed it."""
        ticket = await self._api.read(tenant_id, ticket_path(external_id), WireTicket)
        if ticket is None:
            raise TicketNotFound
        return _conversation(ticket)


def _conversation(ticket: WireTicket) -> Conversation:
    messages = sorted(ticket.messages, key=lambda message: message.created_at)
    return Conversation(
        source=SOURCE,
        external_id=ticket.id,
        subject=ticket.subject,
        status=ticket.status,
        requester=Requester(
            external_id=ticket.requester.id,
            name=ticket.requester.name or None,
            email=ticket.requester.email or None,
            phone=ticket.requester.phone or None,
            address=ticket.requester.address or None,
        ),
        messages=tuple(_message(message, _subject(ticket, message, messages)) for message in messages),
        merged=ticket.merged_into is not None,
        spam=ticket.spam,
    )


def _subject(ticket: WireTicket, message: WireMessage, messages: Sequence[WireMessage]) -> str:
    """A message without a subject of its own has the ticket's where it began the ticket."""
    return message.subject or (ticket.subject if message is messages[0] else "")


def _message(message: WireMessage, subject: str) -> Message:
    return Message(
        external_id=message.id,
        author=author_of(message),
        body=message.body,
        public=message.public,
        written_at=message.created_at,
        automatic=is_automatic(message.mail_headers, subject, message.body),
    )


def author_of(message: WireMessage) -> Author:
    """Ours by reference or by name; an author that we do not know is no customer, so nobody answers it."""
    if (message.reference or "").startswith(OUR_REFERENCES):
        return Author.AUTOMATION
    try:
        return Author(message.author)
    except ValueError:
        return Author.TEAMMATE
