"""Planted faults: whatever fails, wherever, the run ends with an outcome and never as FAILED."""

from collections.abc import Callable
from typing import Any

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.registration import steps_of
from domain.action import ActionType
from domain.approval import VoteKind
from domain.errors import PERMANENT_ERRORS, KeyDestroyed, UnsafeText
from domain.ticket import Outcome
from tests.office import Office
from tests.workflows.running import Desk, open_desk

STEPS = (
    "fetch",
    "redact",
    "triage",
    "look_up",
    "retrieve",
    "draft",
    "decide",
    "compose_card",
    "open",
    "close",
    "perform",
    "perform_in_order",
    "settle",
)


class Planted:
    """An office whose `step` fails in one call, for good or until it is repeated."""

    def __init__(self, step: str, call: int, error: Callable[[], Exception]) -> None:
        self.office = Office()
        self._step, self._call, self._error = step, call, error
        self._calls = 0

    def steps(self) -> list[Callable[..., Any]]:
        return [self._planted(step) for step in steps_of(*self.office.instances())]

    def _planted(self, step: Callable[..., Any]) -> Callable[..., Any]:
        name = step.__name__
        if name != self._step:
            return step
        hints = {key: hint for key, hint in step.__annotations__.items() if key != "return"}
        (given,) = hints.values()

        async def failing(input: Any) -> Any:
            self._calls += 1
            if self._calls == self._call:
                raise self._error()
            return await step(input)

        failing.__annotations__ = {"input": given, "return": step.__annotations__["return"]}
        return activity.defn(name=name)(failing)


def broken() -> Exception:
    return RuntimeError("broken")


def permanent() -> Exception:
    return KeyDestroyed()


def undoable() -> Exception:
    return ApplicationError("gone", type="Gone", non_retryable=True)


async def outcome_of(environment: WorkflowEnvironment, planted: Planted) -> Outcome | None:
    office = planted.office
    office.steps = planted.steps  # type: ignore[method-assign] # the office of this test
    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write("refund HB-1002"))
        await _vote_if_asked(desk)
        return (await run.result()).record.outcome


async def _vote_if_asked(desk: Desk) -> None:
    """The question may never come, when what failed comes before it."""
    sender = desk.office.sender
    await sender.wait_for(ActionType.SLACK_POST)
    if '"kind":"approval"' in sender.sent(ActionType.SLACK_POST)[0].text:
        await desk.vote(VoteKind.APPROVE)


@pytest.mark.parametrize("error", [permanent, undoable], ids=lambda error: error.__name__)
@pytest.mark.parametrize("step", STEPS)
async def test_step_that_fails_for_good_ends_in_an_outcome(
    environment: WorkflowEnvironment, step: str, error: Callable[[], Exception]
) -> None:
    outcome = await outcome_of(environment, Planted(step, 1, error))

    assert outcome in {Outcome.HANDED_OVER, Outcome.ASSUMED}


@pytest.mark.parametrize("step", STEPS)
async def test_step_that_fails_once_is_repeated(environment: WorkflowEnvironment, step: str) -> None:
    planted = Planted(step, 1, broken)

    assert await outcome_of(environment, planted) is Outcome.ASSUMED
    assert len(planted.office.replies()) == 1
    assert len(planted.office.sender.sent(ActionType.REFUND)) == 1


def test_every_permanent_error_has_a_fixed_text() -> None:
    assert UnsafeText in PERMANENT_ERRORS
