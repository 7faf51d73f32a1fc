"""Today's code does what it did, for every golden history; planted changes turn the check red."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.converter import WorkflowSerializationContext
from temporalio.workflow import NondeterminismError

import activities.drafting
import activities.policy_input
import activities.settlement
import domain.handoff
from adapters.in_memory import InMemoryDrafter, InMemoryEngine, InMemoryKeys
from adapters.in_memory.minds import version_of
from adapters.temporal import data_converter
from domain.handoff import HandoffReason
from domain.model import digest_of
from domain.triage import Triage
from tests.office import PLAYBOOK
from tests.replay.record import HISTORIES, PATHS, golden, replayed

NAMES = sorted(path.stem for path in HISTORIES.glob("*.json"))
# Events that a journey has beside one turn with one question.
MORE_THAN_ONE_QUESTION = {
    "acknowledged_while_waiting": 10,  # a timer and a reply
    "climbed": 10,  # a timer and a line in the thread
    "reminded": 20,  # two of them
    "taken_over": 15,  # the update, and a question taken back
    "handed_back": 90,  # the same, and a second turn with its question
    "draft_changed": 50,  # the update, and a second question
}
PINNED = ("prompt", "policy_version", "classifier", "recognizers")


def test_every_path_has_a_golden_history() -> None:
    assert set(PATHS) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_golden_history_replays_with_the_same_commands(name: str) -> None:
    recorder = await replayed(golden(name))

    assert recorder.drifts == []
    assert recorder.fingerprint() == HISTORIES.joinpath(f"{name}.commands.txt").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_golden_history_names_no_machine(name: str) -> None:
    assert '"identity"' not in HISTORIES.joinpath(f"{name}.json").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_ticket_with_its_question_stays_small(name: str) -> None:
    histories = golden(name)
    more = MORE_THAN_ONE_QUESTION.get(name, 0)

    assert sum(len(history.events) for history in histories) <= 80 + more
    assert sum(event.ByteSize() for history in histories for event in history.events) <= 30_000 + 400 * more


def test_answered_ticket_takes_little_room() -> None:
    (history,) = golden("answered")

    assert len(history.events) <= 40
    assert sum(event.ByteSize() for event in history.events) <= 12_000


async def test_changed_order_of_commands_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    def always(_: Triage) -> HandoffReason:
        return HandoffReason.ASKED_FOR_HUMAN

    monkeypatch.setattr(domain.handoff, "reason_before_drafting", always)

    # The next recorded result is another step's, which either of the two notices first.
    with pytest.raises((NondeterminismError, RuntimeError)):
        await replayed(golden("answered"))


class ChangedSettle(activities.settlement.SettleInput):
    """An argument that was not there."""

    planted: int = 1


class ChangedDraft(activities.drafting.DraftInput):
    """The same for the drafter."""

    planted: int = 1


class ChangedDecide(activities.policy_input.DecideInput):
    """The same for policy."""

    planted: int = 1


@pytest.mark.parametrize(
    ("module", "name", "changed", "step"),
    [
        (activities.settlement, "SettleInput", ChangedSettle, "settle"),
        (activities.drafting, "DraftInput", ChangedDraft, "draft"),
        (activities.policy_input, "DecideInput", ChangedDecide, "decide"),
    ],
)
async def test_changed_argument_is_red(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, changed: type, step: str
) -> None:
    monkeypatch.setattr(module, name, changed)

    recorder = await replayed(golden("answered"))

    assert {drift.step for drift in recorder.drifts} == {step}
    assert recorder.fingerprint() != HISTORIES.joinpath("answered.commands.txt").read_text()


async def test_history_under_another_id_is_red() -> None:
    (history,) = golden("answered")
    other = WorkflowHistory(history.workflow_id.replace("5b0e", "5b0f"), history.events)

    with pytest.raises(RuntimeError):
        await replayed([other])


@pytest.mark.parametrize("name", NAMES)
async def test_prompt_policy_and_classifier_are_the_recorded_ones(name: str) -> None:
    assert await pins_of(golden(name)) <= pins_now()


async def test_changed_prompt_or_policy_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InMemoryDrafter, "prompt", version_of("another prompt"))

    assert not await pins_of(golden("answered")) <= pins_now()


def pins_now() -> set[str]:
    """Digests of what is plugged in where golden histories are recorded."""
    parts = {
        InMemoryDrafter.prompt,
        InMemoryEngine().version,
        version_of("classifier"),
        version_of("recognizers"),
    }
    return parts | {digest_of(PLAYBOOK)}


async def pins_of(histories: list[WorkflowHistory]) -> set[str]:
    """Digests of prompts, policies and recognisers that steps answered with."""
    found: set[str] = set()
    for history in histories:
        context = WorkflowSerializationContext(namespace="default", workflow_id=history.workflow_id)
        codec = data_converter(InMemoryKeys()).payload_codec.with_context(context)  # type: ignore[union-attr]
        for payload in _results(history):
            (opened,) = await codec.decode([payload])
            found |= set(_pinned(json.loads(opened.data)))
    return found


def _results(history: WorkflowHistory) -> Iterator[Payload]:
    for event in history.events:
        if event.HasField("marker_recorded_event_attributes"):
            yield from event.marker_recorded_event_attributes.details["result"].payloads


def _pinned(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        yield from (value for key, value in content.items() if key in PINNED)
        for value in content.values():
            yield from _pinned(value)
    elif isinstance(content, list):
        for one in content:
            yield from _pinned(one)
