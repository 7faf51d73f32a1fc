"""What a teammate told a ticket on a page, as the door keeps it until a worker tells the ticket's run.

The owner has changed in the database before this is written: it only lets the run stop or go on sooner.
"""

from enum import StrEnum

from pydantic import Field

from domain.model import Model, RecordId
from domain.ticket import TicketRef


class Word(StrEnum):
    """What a ticket can be told."""

    TAKE_OVER = "take_over"
    HAND_BACK = "hand_back"
    STOP = "stop"


class OperatorWord(Model):
    """One word, with the epoch that it made."""

    word: Word
    ticket: TicketRef
    principal: RecordId
    owner_epoch: int = Field(ge=0)
