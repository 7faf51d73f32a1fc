"""A ticket: one customer request, who owns it and where it stands."""

import hashlib
import hmac
from enum import StrEnum
from uuid import UUID, uuid5

from pydantic import Field

from domain.model import Code, MessageKey, Model, RouteKey, Version


class Mode(StrEnum):
    """How far automation may go for a tenant."""

    OBSERVE = "observe"  # decide and record, do nothing
    ASSIST = "assist"  # drafts become private notes, effects need a person
    AUTOMATE = "automate"  # what policy allows


class Owner(StrEnum):
    """Who speaks on a ticket."""

    AUTOMATION = "automation"
    TEAMMATE = "teammate"


class Stage(StrEnum):
    """Where a ticket stands, for operators."""

    FETCHING = "fetching"
    REDACTING = "redacting"
    TRIAGING = "triaging"
    LOOKING_UP = "looking_up"
    DRAFTING = "drafting"
    DECIDING = "deciding"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    PERFORMING = "performing"
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    HANDED_OVER = "handed_over"
    SETTLED = "settled"


class Outcome(StrEnum):
    """How a ticket ended."""

    CONFIRMED = "confirmed"  # the customer said so
    ASSUMED = "assumed"  # answered, and no word until the recontact window closed
    RECONTACTED = "recontacted"
    HANDED_OVER = "handed_over"
    ABANDONED = "abandoned"  # nothing was to be done: no customer wrote


class TicketStatus(StrEnum):
    """A ticket's status in the helpdesk."""

    OPEN = "open"
    PENDING = "pending"
    SOLVED = "solved"


class TicketRef(Model):
    """Names one ticket everywhere inside; the helpdesk's own id stays encrypted in the vault."""

    tenant_id: UUID
    route: RouteKey

    @property
    def ticket_id(self) -> UUID:
        """The id of the ticket's row and of its data key, the same for every run."""
        return uuid5(self.tenant_id, self.route)


class TenantSettings(Model):
    """A tenant's choices, read once per turn and recorded in history with the turn."""

    version: Version = "1"
    mode: Mode = Mode.ASSIST
    recontact_window_s: int = Field(default=3 * 24 * 3600, ge=0)
    min_confidence_permille: int = Field(default=500, ge=0, le=1000)
    max_turns: int = Field(default=20, ge=1)
    approver_group: Code = "approvers"
    max_replies_per_hour: int = Field(default=6, ge=1)  # more of ours than this, and two systems are talking
    # Within this time of their message a customer hears from us, be it only that a person will answer.
    acknowledge_within_s: int | None = Field(default=None, ge=0)


class ClosingRecord(Model):
    """What the next run of a reopened ticket must know of the last one."""

    turns: int = Field(default=0, ge=0)
    owner: Owner = Owner.AUTOMATION
    owner_epoch: int = Field(default=0, ge=0)
    outcome: Outcome | None = None
    restless: bool | None = None  # handed back, and nobody has said yet where it stands


class Settlement(Model):
    """How a turn or a ticket ended and, if a customer's message had its turn, which one."""

    record: ClosingRecord
    stage: Stage
    reason: Code
    message: MessageKey | None = None
    retrieved: tuple[UUID, ...] = ()  # passages that the turn rested on


def route_key(routing_secret: bytes, source: str, external_ticket_id: str) -> RouteKey:
    """One helpdesk ticket is one route; without the tenant's secret it tells nothing of the ticket."""
    named = f"{source}\n{external_ticket_id}".encode()
    return hmac.new(routing_secret, named, hashlib.sha256).hexdigest()[:32]
