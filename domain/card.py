"""What a Slack message says, before it is Slack's blocks. Placeholders are words already."""

from enum import StrEnum

from domain.conversation import TextModel
from domain.model import ApprovalId, Digest


class CardKind(StrEnum):
    """Which shape a card has."""

    APPROVAL = "approval"  # with Approve and Reject and a field for the reason
    CLOSED = "closed"  # an answered approval: no buttons
    HANDOFF = "handoff"
    NOTICE = "notice"  # a line, to one person or into a thread


class CardField(TextModel):
    """A labelled value."""

    label: str
    value: str


class Card(TextModel):
    """One Slack message. Buttons carry only the approval's id, revision and digest."""

    kind: CardKind
    title: str
    body: str = ""
    quote: str = ""  # a draft or request, shown as quoted text
    fields: tuple[CardField, ...] = ()
    footer: str = ""
    approval_id: ApprovalId | None = None
    tenant: str | None = None  # tenant id, so that a click can find its approval
    revision: int = 1
    digest: Digest | None = None
