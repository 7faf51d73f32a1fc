"""What every `LabelledEdits` promises: the fake and the database say the same."""

import pytest

from adapters.in_memory import InMemoryLabelledEdits
from adapters.postgres.labelled_edits import PostgresLabelledEdits
from domain.learning import LabelledEdit
from domain.ports import LabelledEdits
from domain.ticket import TicketRef
from tests.conftest import Databases


def an_edit(distance_permille: int = 250, message: str = "1") -> LabelledEdit:
    return LabelledEdit(
        message="msg_" + 32 * message,
        turn=1,
        draft="draft_" + 64 * "a",
        edited="edit_" + 64 * "b",
        distance_permille=distance_permille,
        drafter="extractive-1",
    )


@pytest.fixture(params=["in_memory", "postgres"])
def edits(request: pytest.FixtureRequest, databases: Databases) -> LabelledEdits:
    if request.param == "in_memory":
        return InMemoryLabelledEdits()
    return PostgresLabelledEdits(databases.app)


async def test_message_has_one_edit(edits: LabelledEdits, ticket: TicketRef) -> None:
    told = [
        await edits.record(ticket, edit)
        for edit in (an_edit(), an_edit(), an_edit(900), an_edit(message="2"))
    ]

    assert told == [True, False, False, True]
