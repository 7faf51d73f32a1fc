"""What a helpdesk's tickets are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MailHeaders = dict[str, str]
TICKET_ID = r"^[A-Za-z0-9_-]{1,64}$"

Json = dict[str, Any]


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    TEAMMATE = "teammate"
    AUTOMATION = "automation"


class Status(StrEnum):
    """Where a ticket stands."""

    OPEN = "open"
    PENDING = "pending"
    SOLVED = "solved"


class Requester(BaseModel):
    """Who asks."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    email: str = Field(min_length=3, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")
    phone: str | None = None
    address: str | None = None


class NewTicket(BaseModel):
    """A ticket as a customer, or the control door, opens it."""

    model_config = ConfigDict(extra="forbid")

    brand: str
    subject: str = ""
    body: str = Field(min_length=1)
    requester: Requester
    mail_headers: MailHeaders = {}
    send_webhook: bool = True
    duplicate_delivery: bool = False
    ticket_id: str | None = Field(default=None, pattern=TICKET_ID)


class Filing(BaseModel):
    """What agents decide about a whole ticket; what is absent stays as it is."""

    model_config = ConfigDict(extra="forbid")

    merged_into: str | None = Field(default=None, pattern=TICKET_ID)
    spam: bool | None = None


@dataclass(frozen=True)
class Words:
    """A message before it is stored."""

    author: Author
    body: str
    public: bool = True
    reference: str | None = None
    subject: str | None = None  # of the mail that it came in
    mail_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Opened:
    """Which ticket a `NewTicket` became, or already was."""

    id: str
    message_id: str
    created: bool

    def as_json(self) -> Json:
        return {"id": self.id, "message_id": self.message_id, "created": self.created}
