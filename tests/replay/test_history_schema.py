"""No model that crosses a workflow history can hold a text; planted violations turn each check red."""

import sys
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, get_type_hints
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints
from temporalio import activity, workflow

import activities
import workflows
from domain.model import Code, Digest, Model
from domain.ticket import Owner, TicketRef
from tests.replay.history_schema import modules_of, sources, surface, unvalidated_copies, violations

SURFACE = surface([*modules_of(workflows), *modules_of(activities)])
STEPS = {name: fn for name, fn in SURFACE.items() if name.startswith("activities.")}
SOURCES = sorted(sources(workflows))
UNVALIDATED = (
    "m.model_copy(update={'a': 1})",
    "m.model_copy(**x)",
    "M.model_construct(a=1)",
    "m.copy(update=x)",
)


@pytest.mark.parametrize("name", SURFACE)
def test_nothing_that_crosses_history_can_hold_a_text(name: str) -> None:
    assert list(violations(SURFACE[name])) == []


def test_walk_sees_workflows_their_handlers_and_steps() -> None:
    seen = {name.rsplit(".", 2)[-2] + "." + name.rsplit(".", 1)[-1] for name in SURFACE}

    assert {"TicketWorkflow.run", "TicketWorkflow.delivery_arrived", "TicketWorkflow.status"} <= seen
    assert {"ApprovalWorkflow.run", "ApprovalWorkflow.vote"} <= seen
    assert {"IntakeActivities.fetch", "PolicyActivities.decide", "EffectActivities.perform"} <= seen


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_models_are_never_made_without_validation(path: Any) -> None:
    assert list(unvalidated_copies(path.read_text(encoding="utf-8"))) == []


class Good(Model):
    """Everything that is allowed."""

    ticket: TicketRef
    at: AwareDatetime
    id: UUID
    owner: Owner | None = None
    digests: tuple[Digest, ...] = ()
    code: Code = "a"
    kind: Literal["x"] = "x"
    pair: tuple[int, bool] = (1, True)
    nested: tuple["Good", ...] = ()


class Open(BaseModel):
    """Accepts more than it names."""

    count: int


class FreeText(Model):
    body: str


class BoundedText(Model):
    body: Annotated[str, StringConstraints(max_length=20)]


class OtherPattern(Model):
    body: Annotated[str, StringConstraints(pattern="^.*$")]


class Deep(Model):
    notes: tuple[FreeText | None, ...]


class Bag(Model):
    values: dict[str, int]


class CodeBag(Model):
    values: dict[Code, int]


class Amount(Model):
    value: Decimal


class Blob(Model):
    value: bytes


class Whatever(Model):
    value: Any


class BareList(Model):
    value: list  # type: ignore[type-arg]  # the planted violation


class Discriminated(Model):
    value: Annotated[Good | FreeText, Field(union_mode="left_to_right")]


PLANTED = {
    FreeText: ".body: free text",
    BoundedText: ".body: free text",
    OtherPattern: ".body: free text",
    Deep: ".notes[].body: free text",
    Bag: ".values: an open object",
    CodeBag: ".values: an open object",
    Amount: ".value: free text",
    Blob: ".value: free text",
    Whatever: ".value: anything",
    BareList: ".value[]: anything",
    Discriminated: ".value.body: free text",
    Open: ": an open object",
    str: ": free text",
    dict[str, int]: ": an open object",
}


def step_with(hint: object) -> Any:
    async def step(given: Any) -> None: ...

    step.__annotations__ = {"given": hint, "return": None}
    return step


@pytest.mark.parametrize(("hint", "place"), PLANTED.items(), ids=map(str, PLANTED))
def test_planted_violation_is_found(hint: object, place: str) -> None:
    assert list(violations(step_with(hint))) == [f"given{place}"]


def test_allowed_kinds_pass() -> None:
    assert list(violations(step_with(Good))) == []


def test_result_is_looked_at() -> None:
    step = step_with(Good)
    step.__annotations__["return"] = FreeText

    assert list(violations(step)) == ["return.body: free text"]


def test_missing_types_are_found() -> None:
    step = step_with(Good)
    step.__annotations__ = {}

    assert list(violations(step)) == ["given: has no type", "return: has no type"]


def test_dates_are_no_texts() -> None:
    assert list(violations(step_with(datetime))) == []


@workflow.defn
class PlantedWorkflow:
    """Lets a text in by each door."""

    @workflow.run
    async def run(self, given: FreeText) -> Good:
        raise NotImplementedError

    @workflow.signal
    async def said(self, given: FreeText) -> None: ...

    @workflow.query
    def heard(self) -> FreeText:
        raise NotImplementedError

    @workflow.update
    async def tell(self, given: Good) -> FreeText:
        raise NotImplementedError


class PlantedActivities:
    """Lets a text out."""

    @activity.defn
    async def write(self, given: Good) -> FreeText:
        raise NotImplementedError


def test_every_door_of_a_workflow_is_looked_at() -> None:
    found = surface([sys.modules[__name__]])

    bad = {name.rsplit(".", 1)[1] for name, fn in found.items() if list(violations(fn))}
    assert bad == {"run", "said", "heard", "tell", "write"}


@pytest.mark.parametrize("call", UNVALIDATED)
def test_planted_unvalidated_copy_is_found(call: str) -> None:
    assert len(list(unvalidated_copies(f"x = {call}\n"))) == 1


def test_a_plain_copy_is_no_offence() -> None:
    assert list(unvalidated_copies("m.model_copy()\nitems.copy()\n")) == []


@pytest.mark.parametrize("name", STEPS)
def test_every_step_says_what_it_was_given(name: str) -> None:
    """Without `input_digest` in its result a changed prompt or policy would replay clean."""
    result = get_type_hints(STEPS[name])["return"]

    assert "input_digest" in result.model_fields
