"""In assist mode a draft is a note; what the teammate then writes is compared with it. Nothing is sent."""

from temporalio.testing import WorkflowEnvironment

from domain.conversation import Author
from domain.learning import LeftDraft
from domain.ticket import Mode
from tests.office import TICKET, Office
from tests.workflows.running import Desk, open_desk

HOURS = "What are your opening hours?"


async def edited(desk: Desk) -> None:
    office = desk.office
    await desk.run(HOURS)
    draft = next(ref for ticket, ref in office.artifacts.blobs if ref.startswith("draft_"))
    [message] = office.tickets.answered[TICKET]
    office.edits.drafts[TICKET] = LeftDraft(draft=draft, message=message, turn=1)
    await (await desk.start(office.write("Nine to six, and not on Sundays.", Author.TEAMMATE))).result()


async def test_teammates_edit_becomes_one_example(environment: WorkflowEnvironment) -> None:
    office = Office(Mode.ASSIST)

    async with open_desk(environment, office) as desk:
        await edited(desk)

    [edit] = office.edits.edits.values()
    assert 0 < edit.distance_permille <= 1000
    assert office.replies() == []


async def test_edit_that_cannot_be_learned_ends_nothing(environment: WorkflowEnvironment) -> None:
    office = Office(Mode.ASSIST)

    async with open_desk(environment, office) as desk:
        await desk.run(HOURS)
        office.edits.drafts[TICKET] = LeftDraft(draft="draft_" + "0" * 64, message="msg_" + "1" * 32, turn=1)
        closed = await (await desk.start(office.write("Nine to six.", Author.TEAMMATE))).result()

    assert office.edits.edits == {}
    assert closed.record.turns == 1
