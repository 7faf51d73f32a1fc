"""History stays small, however long the text: events and bytes that Temporal's server counts."""

import json
from collections.abc import Sequence

import pytest
from temporalio.api.history.v1 import HistoryEvent

from cli.demo_watch import Sent
from tests.end_to_end.system import APPROVE, BOOKS, Person, System
from workflows.ids import ticket_workflow_id

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]

MOST_EVENTS, MOST_BYTES = 80, 30_000
LONG_TEXT = 15_000
TORN = "The cover is torn and a dozen pages are wet. "


async def _sizes(system: System, sent: Sent) -> Sequence[tuple[str, int, int]]:
    """Kind, events and bytes of each run of the ticket's turn, its approvals included."""
    client = await system.connected.temporal()
    approvals = await system.records.rows(
        "SELECT id FROM countersign.approvals WHERE ticket_id = %s", str(sent.ticket.ticket_id)
    )
    ids = [ticket_workflow_id(sent.ticket)]
    ids += [f"approval:{sent.ticket.tenant_id}:{id_}" for (id_,) in approvals]
    found = []
    for id_ in ids:
        # Our own echo may have opened a run after the turn's: the turn's is the first.
        runs = [run async for run in client.list_workflows(f"WorkflowId = '{id_}'")]
        first = min(runs, key=lambda run: run.start_time)
        handle = client.get_workflow_handle(id_, run_id=first.run_id)
        info = (await handle.describe()).raw_description.workflow_execution_info
        after = _after_settling((await handle.fetch_history()).events)
        size = info.history_size_bytes - sum(event.ByteSize() for event in after)
        found.append((id_.partition(":")[0], info.history_length - len(after), size))
    return found


def _after_settling(events: Sequence[HistoryEvent]) -> Sequence[HistoryEvent]:
    """Our own echo can wake the same run once more, when the turn is over."""
    settled = [number for number, event in enumerate(events, start=1) if _step(event) == "settle"]
    return events[settled[0] :] if settled else []


def _step(event: HistoryEvent) -> str:
    data = event.marker_recorded_event_attributes.details.get("data")
    return str(json.loads(data.payloads[0].data)["activity_type"]) if data else ""


async def _refunded_after_approval(system: System, name: str, text: str) -> Sent:
    by = Person(name, name.lower().replace(" ", ".") + "@example.com")
    order = await system.sell(BOOKS, by, 95_00)
    words = f"The book of my order {order} arrived damaged. Please refund it.\n{text}"
    sent = await system.write(BOOKS, by, "Damaged book", words)
    await system.click("U0MARTA", APPROVE, await system.card(sent))
    assert (await system.rest(sent)).kind == "refunded"
    return sent


@pytest.mark.parametrize("length", [0, LONG_TEXT])
async def test_a_turn_with_its_approval_is_small(system: System, length: int) -> None:
    text = (TORN * (length // len(TORN) + 1))[:length]
    sent = await _refunded_after_approval(system, f"Edda {'Lang' if length else 'Kurz'}", text)

    sizes = await _sizes(system, sent)

    assert [kind for kind, _, _ in sizes] == ["ticket", "approval"]
    assert 0 < sum(events for _, events, _ in sizes) <= MOST_EVENTS
    assert 0 < sum(size for _, _, size in sizes) <= MOST_BYTES, sizes


async def test_a_long_text_costs_no_more_than_a_short_one(system: System) -> None:
    short = await _refunded_after_approval(system, "Kuno Kurz", "")
    long = await _refunded_after_approval(system, "Lene Lang", TORN * 300)

    small, large = [sum(size for *_, size in await _sizes(system, sent)) for sent in (short, long)]

    assert large < small * 1.1
