"""`LabelledEdits`, kept in a dictionary."""

from domain.learning import LabelledEdit
from domain.model import MessageKey
from domain.ticket import TicketRef


class InMemoryLabelledEdits:
    """The first edit of a message stays."""

    def __init__(self) -> None:
        self.edits: dict[tuple[TicketRef, MessageKey], LabelledEdit] = {}

    async def record(self, ticket: TicketRef, edit: LabelledEdit) -> bool:
        """False: it was recorded before."""
        if (ticket, edit.message) in self.edits:
            return False
        self.edits[ticket, edit.message] = edit
        return True
