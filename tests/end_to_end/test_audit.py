"""Each settled turn leaves one audit event: who, what, by which policy, from what, and how it ended."""

import pytest

from domain.action import ActionType
from domain.audit import TurnSettled
from domain.effect import EffectState
from tests.end_to_end.system import APPROVE, BOOKS, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]

WRITER = Person("Lena Aude", "lena.aude@example.com")


async def test_approved_refund_is_one_complete_event(system: System) -> None:
    order = await system.sell(BOOKS, WRITER, 120_00)
    words = f"The book of my order {order} arrived damaged. Please refund it."
    sent = await system.write(BOOKS, WRITER, "Damaged book", words)
    await system.click("U0MARTA", APPROVE, await system.card(sent))
    await system.rest(sent)

    rows = await system.records.rows(
        "SELECT content FROM countersign.audit_events WHERE kind = 'turn_settled'"
    )

    events = [TurnSettled.model_validate(content) for (content,) in rows]
    (event,) = [event for event in events if event.ticket_id == sent.ticket.ticket_id]
    assert event.reason == "refunded"
    assert len(event.voters) == 1
    assert event.retrieved
    assert {made.action for made in event.decisions} >= {ActionType.REFUND, ActionType.REPLY}
    assert (ActionType.REFUND, EffectState.CONFIRMED) in {(done.type, done.state) for done in event.effects}
