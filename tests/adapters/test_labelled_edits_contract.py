"""What every `LabelledEdits` promises: the fake and the database say the same."""

import json

import pytest
from sqlalchemy import text

from adapters.in_memory import InMemoryLabelledEdits
from adapters.postgres.labelled_edits import PostgresLabelledEdits
from domain.learning import LabelledEdit, LeftDraft
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


NOTE = text("""
    insert into effects (tenant_id, id, ticket_id, type, digest, proposed, decision_id, owner_epoch, turn,
        state)
    values (:tenant, :id, :ticket, :type, 'sha256:0', cast(:proposed as jsonb), 'dec_1', 0, :turn, 'intended')
""")
ANSWERED = text("insert into answered_messages values (:tenant, :ticket, :message, :turn)")
CONFIRM = (
    text("update effects set state = 'claimed' where tenant_id = :tenant"),
    text("update effects set state = 'sent' where tenant_id = :tenant"),
    text("update effects set state = 'confirmed' where tenant_id = :tenant"),
)


async def test_newest_draft_that_was_left_is_found_and_no_story(
    databases: Databases, ticket: TicketRef
) -> None:
    notes = [("draft_" + "a" * 64, 1), ("draft_" + "b" * 64, 2), ("bundle_" + "c" * 64, 3)]
    named = {"tenant": ticket.tenant_id, "ticket": ticket.ticket_id}
    async with databases.owner.transaction(ticket.tenant_id) as session:
        for reference, turn in notes:
            proposed = {"ordinal": 2, "action": {"type": "private_note", "text": reference}}
            row = {
                "id": f"eff_{turn}",
                "type": "private_note",
                "proposed": json.dumps(proposed),
                "turn": turn,
            }
            await session.execute(NOTE, named | row)
            await session.execute(ANSWERED, named | {"message": f"msg_{str(turn) * 32}", "turn": turn})
        for step in CONFIRM:
            await session.execute(step, {"tenant": ticket.tenant_id})

    left = await PostgresLabelledEdits(databases.app).left(ticket)

    assert left == LeftDraft(draft="draft_" + "b" * 64, message="msg_" + "2" * 32, turn=2)
