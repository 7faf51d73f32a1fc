"""What was said. These models hold text, so they live in memory and encrypted artifacts, never in history."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class TextModel(BaseModel):
    """Frozen like `Model`, but may hold text: must not be an argument or result of a workflow step."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    TEAMMATE = "teammate"
    AUTOMATION = "automation"


class Message(TextModel):
    """One message of a conversation, public or private."""

    external_id: str
    author: Author
    body: str
    public: bool
    written_at: datetime
    automatic: bool = False  # written by a machine of theirs, such as out of office


class Requester(TextModel):
    """What the helpdesk's record says about who asks: redaction's known identities."""

    external_id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    address: str | None = None


class Conversation(TextModel):
    """A ticket as the helpdesk has it, raw or redacted, messages in the order they were written."""

    source: str
    external_id: str
    subject: str
    status: str
    requester: Requester
    messages: tuple[Message, ...]
    merged: bool = False  # it goes on in another ticket
    spam: bool = False

    @property
    def latest_from_customer(self) -> Message | None:
        """The customer's newest public message that a person wrote."""
        spoken = [m for m in self.messages if m.author is Author.CUSTOMER and m.public and not m.automatic]
        return spoken[-1] if spoken else None
