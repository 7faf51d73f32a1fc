"""A text that kills or hangs the redaction costs one attempt, no worker and no other ticket."""

import json

import pytest

from cli.demo_watch import Sent
from tests.adapters.mortal_child import KILLS, RAISES
from tests.end_to_end.system import BOOKS, Person, System
from workflows.ids import ticket_workflow_id

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]

RUTH = Person("Ruth Amsel", "ruth.amsel@example.com")
QUESTION = "How can I send a book back, and how long do I have?"


@pytest.mark.parametrize("marker", [KILLS, RAISES])
async def test_broken_redaction_is_quarantined_at_once_and_the_next_ticket_answered(
    system: System, marker: str
) -> None:
    worker = system.stack.supervisor.service("worker-1").pid

    broken = await system.write(BOOKS, RUTH, "Odd", f"{QUESTION} {marker}")
    ending = await system.rest(broken)
    healthy = await system.rest(await system.write(BOOKS, RUTH, "Return", QUESTION))

    assert (ending.kind, ending.because) == ("handed_over", "quarantined")
    assert await _attempts(system, broken) == [1]
    assert healthy.kind == "answered"
    assert system.stack.supervisor.service("worker-1").pid == worker


async def test_teammate_is_told_without_a_word_of_the_text(system: System) -> None:
    sent = await system.write(BOOKS, RUTH, "Odd", f"{QUESTION} {KILLS}")
    await system.rest(sent)

    (note,) = await system.notes(sent)
    (post,) = [effect for effect in await system.effects(sent) if effect.type == "slack_post"]
    cards = [m for m in await system.slack(BOOKS) if f"{m['channel']}:{m['ts']}" == post.receipt]

    assert "no text is shown" in note
    assert len(cards) == 1
    assert KILLS not in note + str(cards)
    assert await system.replies(sent) == []


async def _attempts(system: System, sent: Sent) -> list[int]:
    """How often redaction was tried, as history has it."""
    client = await system.connected.temporal()
    found = []
    async for run in client.list_workflows(f"WorkflowId = '{ticket_workflow_id(sent.ticket)}'"):
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        for event in history.events:
            details = event.marker_recorded_event_attributes.details
            if "data" in details:
                said = json.loads(details["data"].payloads[0].data)
                found += [said["attempt"]] if said["activity_type"] == "redact" else []
    return found
