"""The outside fails: answers get lost after the act, nobody is there for a while, or we are asked to wait."""

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest

from tests.crash.day import begin
from tests.crash.errands import APPROVED, SMALL
from tests.end_to_end.system import Json, System

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

REFUND = {"surface": "payments", "path": "/payments/api/refunds"}
REPLY = {"surface": "helpdesk", "path": "/replies"}
CARD = {"surface": "slack", "path": "chat.postMessage"}
WAIT_S = 4


@pytest.mark.parametrize("kind", ["error_after", "timeout"])
async def test_act_whose_answer_was_lost_is_not_repeated(system: System, kind: str) -> None:
    for act in (REFUND, REPLY, CARD):
        await _plant(system, act, kind)

    day = await begin(system, [APPROVED])
    await day.end()

    assert await _left(system) == []


async def test_provider_that_is_away_for_a_while_is_served_in_the_end(system: System) -> None:
    for act in (REFUND, REPLY):
        await _plant(system, act, "unavailable", times=3)
    # Slack knows no idempotency key: a second answer lost makes a card a person's question.
    await _plant(system, CARD, "unavailable")

    day = await begin(system, [APPROVED])
    await day.end()

    assert await _left(system) == []


async def test_provider_that_asks_us_to_wait_is_left_alone_for_so_long(system: System) -> None:
    before = len(_refund_calls(system))
    await _plant(system, REFUND, "ratelimited", seconds=WAIT_S)

    day = await begin(system, [SMALL])
    await day.end()

    refused, taken = _refund_calls(system)[before:]
    assert [refused["status"], taken["status"]] == [429, 201]
    assert _seconds_between(refused, taken) >= WAIT_S


async def test_card_that_stays_unknown_hands_over_and_moves_no_money(system: System) -> None:
    await _plant(system, CARD, "unavailable", times=2)

    day = await begin(system, [replace(APPROVED, vote="")])
    await day.go_on(until_at_rest=1)

    (task,) = day.tasks
    seen = Counter((effect.type, effect.state) for effect in await system.effects(task.sent))
    assert seen["slack_post", "unknown"] == 1
    assert seen["private_note", "confirmed"] == 1
    assert await system.refunds(task.sent.tenant, task.order) == []


async def _plant(system: System, act: Json, kind: str, **more: object) -> None:
    await system.emulators.ask("POST", "/faults", {**act, "kind": kind, **more})


async def _left(system: System) -> list[Json]:
    """Faults that hit nothing."""
    ordered = await system.emulators.ask(
        "POST", "/faults", {**CARD, "path": "nowhere", "kind": "error_before"}
    )
    return [fault for fault in ordered["faults"] if fault["path"] != "nowhere"]


def _refund_calls(system: System) -> list[Json]:
    """As the workers say themselves, in the order of time."""
    lines = [
        line
        for log in sorted(system.stack.home.logs.glob("worker-*.log"))
        for line in log.read_text().splitlines()
        if '"provider_called"' in line
    ]
    calls = [json.loads(line) for line in lines]
    ours = [call for call in calls if call["surface"] == "payments" and call["method"] == "POST"]
    return sorted(ours, key=lambda call: str(call["timestamp"]))


def _seconds_between(earlier: Json, later: Json) -> float:
    times = [datetime.fromisoformat(call["timestamp"]) for call in (earlier, later)]
    return (times[1] - times[0]).total_seconds()
