"""`LabelledEdits`, kept in a dictionary."""

from domain.learning import LabelledEdit, LeftDraft
from domain.model import MessageKey
from domain.ticket import TicketRef


class InMemoryLabelledEdits:
    """The first edit of a message stays."""

    def __init__(self) -> None:
        self.drafts: dict[TicketRef, LeftDraft] = {}
        self.edits: dict[tuple[TicketRef, MessageKey], LabelledEdit] = {}

    async def left(self, ticket: TicketRef) -> LeftDraft | None:
        """What a test has put there."""
        return self.drafts.get(ticket)

    async def record(self, ticket: TicketRef, edit: LabelledEdit) -> bool:
        """False: it was recorded before."""
        if (ticket, edit.message) in self.edits:
            return False
        self.edits[ticket, edit.message] = edit
        return True
