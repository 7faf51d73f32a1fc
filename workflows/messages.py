"""What workflows are told, asked and carry over. Loaded once for all runs, unlike workflows."""

from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.handoff import HandoffReason
from domain.model import Model
from domain.ticket import ClosingRecord, Outcome, Owner, Stage, TicketRef


class DeliveryArrived(Model):
    """A row is in the inbox. Wakes the ticket; which deliveries there are, the inbox knows."""

    tenant_id: UUID
    delivery_id: UUID


class CarriedOver(Model):
    """What a continued run must know of the one before. Everything else is in the records."""

    ticket: TicketRef
    record: ClosingRecord = ClosingRecord()
    silent_until: AwareDatetime | None = None  # the recontact window of an answered ticket
    seen: tuple[UUID, ...] = ()  # deliveries that have woken the ticket
    unread: tuple[UUID, ...] = ()  # of these, the ones no turn has looked for


class TicketStatusView(Model):
    """The answer to the query `status`."""

    ticket: TicketRef
    stage: Stage
    owner: Owner
    turns: int = Field(ge=0)
    outcome: Outcome | None = None
    handed_over_because: HandoffReason | None = None


class TicketClosed(Model):
    """How a run ended."""

    ticket: TicketRef
    record: ClosingRecord
    handed_over_because: HandoffReason | None = None
