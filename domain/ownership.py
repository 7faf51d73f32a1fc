"""Who owns a ticket and how that changes: what teammates order, and what a running ticket is told of it."""

from pydantic import Field

from domain.model import Model, RecordId
from domain.ticket import TicketRef


class TakeOver(Model):
    """A teammate has taken the ticket: the fence is closed already, the run is told."""

    ticket: TicketRef
    principal: RecordId
    owner_epoch: int = Field(ge=0)


class Stop(Model):
    """Automation has been ended for the ticket: the fence is closed already, the run is told."""

    ticket: TicketRef
    principal: RecordId
    owner_epoch: int = Field(ge=0)
