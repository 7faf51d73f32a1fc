"""Whatever leaves, on whatever way a ticket goes: one decision about exactly it, and nothing without one."""

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.decision import Verdict
from domain.effect import EffectState
from tests.replay.record import PATHS
from tests.workflows.running import open_desk

WAYS = (
    "answered",
    "small_refund",
    "refund_approved",
    "refund_rejected",
    "handed_back",
    "acknowledged_while_waiting",
    "assisted",
    "draft_changed",
    "reminded",
    "sanitized",
    "policy_changed",
)


@pytest.mark.parametrize("way", WAYS)
async def test_every_outbound_call_has_exactly_one_decision(
    environment: WorkflowEnvironment, way: str
) -> None:
    journey = PATHS[way]
    office = journey.office()

    async with open_desk(environment, office) as desk:
        await journey.play(desk)

    assert office.sender.seen
    decided = office.decisions.at_the_claim
    for order in office.sender.seen:
        [decision] = [office.decisions.made[id_][0] for id_, effect in decided.items() if effect == order.key]
        assert decision.action is order.action.type
        assert decision.action_digest == office.ledger.rows[order.key].digest
        assert decision.verdict is not Verdict.DENY
    withdrawn = {key for key, row in office.ledger.rows.items() if row.state is EffectState.WITHDRAWN}
    assert set(decided.values()) - withdrawn == {order.key for order in office.sender.seen}
