"""A ticket's story, read from its recorded histories: what happened, when, and by which rule."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter, WorkflowSerializationContext

from activities.approvals import ComposedCard, Recorded
from activities.effects import Performed
from activities.handoff import PreparedHandoff
from activities.intake import Fetched, RedactedConversation
from activities.policy import Decided
from activities.settlement import Settled
from activities.triage import Triaged
from adapters.postgres.ticket_lists import DecisionLine
from adapters.temporal_replay import history_of
from cli.sayings import said_of
from domain.approval import ApprovalResult, Vote
from domain.draft import Draft
from domain.effect import EffectResult
from domain.fact import Facts
from domain.history import RecordedRun, RunKind
from domain.knowledge import Retrieved

LOCAL_ACTIVITY_MARKER = "core_local_activity"
RESULTS: dict[str, type[BaseModel]] = {
    "fetch": Fetched,
    "redact": RedactedConversation,
    "triage": Triaged,
    "look_up": Facts,
    "retrieve": Retrieved,
    "draft": Draft,
    "decide": Decided,
    "compose_card": ComposedCard,
    "open": Recorded,
    "record_vote": Recorded,
    "close": ComposedCard,
    "perform": EffectResult,
    "perform_in_order": Performed,
    "perform_each": Performed,
    "prepare": PreparedHandoff,
    "settle": Settled,
}


@dataclass(frozen=True)
class Line:
    """One thing that happened."""

    at: datetime
    step: str
    text: str


@dataclass
class _Reader:
    """Reads one run's events in order."""

    converter: DataConverter
    decisions: Mapping[str, DecisionLine]
    steps: dict[int, str] = field(default_factory=dict)

    async def read(self, event: HistoryEvent) -> Sequence[Line]:
        reader = READERS.get(event.event_type)
        return await reader(self, event) if reader else ()

    async def model(self, payloads: Sequence[Payload], type_: type[BaseModel]) -> Any:
        return (await self.converter.decode(payloads, [type_]))[0]

    async def result(self, event: HistoryEvent, step: str, payloads: Sequence[Payload]) -> Sequence[Line]:
        type_ = RESULTS.get(step)
        if type_ is None or not payloads:
            return [Line(_at(event), step, "done")]
        answer = await self.model(payloads, type_)
        texts = self._decided(answer) if isinstance(answer, Decided) else said_of(answer)
        return [Line(_at(event), step, text) for text in texts]

    def _decided(self, answer: Decided) -> Iterator[str]:
        """History says what was decided; the decision log says about what, in words."""
        for decision, text in zip(answer.decisions, said_of(answer), strict=True):
            logged = self.decisions.get(decision.decision_id)
            yield f"{logged.action} {logged.amount}".strip() + f": {text}" if logged else text


@dataclass(frozen=True)
class Records:
    """What a story is told from: histories, and what the decision log says in words."""

    runs: Sequence[RecordedRun]
    converter: DataConverter
    decisions: Mapping[str, DecisionLine]

    @property
    def by_run(self) -> Mapping[str, RecordedRun]:
        """Every run by its own id."""
        return {run.run_id: run for run in self.runs}


async def story_of(records: Records) -> AsyncIterator[Line]:
    """Every run of the ticket, oldest first, each approval within the run that asked."""
    told: set[str] = set()
    tickets = [run for run in records.runs if run.kind is RunKind.TICKET]
    for run in (*tickets, *records.runs):  # an approval whose asking run is gone comes last
        if run.run_id not in told:
            async for line in _run(records, run, told):
                yield line


async def _run(records: Records, run: RecordedRun, told: set[str]) -> AsyncIterator[Line]:
    told.add(run.run_id)
    if run.history is None:
        yield Line(run.started_at, "erased", "this run's history was erased with its ticket")
        return
    history = history_of(run.history)
    context = WorkflowSerializationContext(namespace="", workflow_id=run.workflow_id)
    reader = _Reader(records.converter.with_context(context), records.decisions)
    for event in history.events:
        for line in await reader.read(event):
            yield line
        if event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            async for line in _child(records, event, told):
                yield line


async def _child(records: Records, event: HistoryEvent, told: set[str]) -> AsyncIterator[Line]:
    started = event.child_workflow_execution_started_event_attributes
    child = records.by_run.get(started.workflow_execution.run_id)
    if child is None:
        yield Line(_at(event), "approval", "a person is asked; that run's own history is not here")
        return
    async for line in _run(records, child, told):
        yield line


async def _opened(reader: _Reader, event: HistoryEvent) -> Sequence[Line]:
    del reader
    kind = event.workflow_execution_started_event_attributes.workflow_type.name
    return [
        Line(
            _at(event),
            "start",
            "the ticket's run starts" if kind.startswith("Ticket") else "a person is asked",
        )
    ]


async def _woken(reader: _Reader, event: HistoryEvent) -> Sequence[Line]:
    del reader
    return [Line(_at(event), "webhook", "a delivery wakes the ticket")]


async def _scheduled(reader: _Reader, event: HistoryEvent) -> Sequence[Line]:
    reader.steps[event.event_id] = event.activity_task_scheduled_event_attributes.activity_type.name
    return ()


async def _completed(reader: _Reader, event: HistoryEvent) -> Sequence[Line]:
    attributes = event.activity_task_completed_event_attributes
    step = reader.steps[attributes.scheduled_event_id]
    return await reader.result(event, step, attributes.result.payloads)


async def _failed(reader: _Reader, event: HistoryEvent) -> Sequence[Line]:
    attributes = event.activity_task_failed_event_attributes
    kind = attributes.failure.application_failure_info.type or "failure"
    return [Line(_at(event), reader.steps[attributes.scheduled_event_id], f"failed for good: {kind}")]


async def _marked(reader: _Reader, event: HistoryEvent) -> Sequence[Line]:
    attributes = event.marker_recorded_event_attributes
    if attributes.marker_name != LOCAL_ACTIVITY_MARKER:
        return ()
    step = str(_plain(attributes.details["data"]).get("activity_type", "step"))
    if attributes.HasField("failure"):
        kind = attributes.failure.application_failure_info.type or "failure"
        return [Line(_at(event), step, f"failed for good: {kind}")]
    result = attributes.details.get("result")
    return await reader.result(event, step, result.payloads if result else [])


async def _voted(reader: _Reader, event: HistoryEvent) -> Sequence[Line]:
    request = event.workflow_execution_update_accepted_event_attributes.accepted_request
    if request.input.name != "vote":
        return [Line(_at(event), request.input.name, "accepted")]
    vote = await reader.model(request.input.args.payloads, Vote)
    return [Line(_at(event), "vote", text) for text in said_of(vote)]


async def _answered(reader: _Reader, event: HistoryEvent) -> Sequence[Line]:
    attributes = event.child_workflow_execution_completed_event_attributes
    context = WorkflowSerializationContext(
        namespace=attributes.namespace, workflow_id=attributes.workflow_execution.workflow_id
    )
    decoded = await reader.converter.with_context(context).decode(
        attributes.result.payloads, [ApprovalResult]
    )
    return [Line(_at(event), "approval", text) for text in said_of(decoded[0])]


async def _ended(reader: _Reader, event: HistoryEvent) -> Sequence[Line]:
    del reader
    return [Line(_at(event), "end", "the run is complete")]


Read = Callable[[_Reader, HistoryEvent], Any]
READERS: dict[int, Read] = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: _opened,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: _woken,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _scheduled,
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: _completed,
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: _failed,
    EventType.EVENT_TYPE_MARKER_RECORDED: _marked,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _voted,
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: _answered,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: _ended,
}


def _plain(payloads: Payloads) -> dict[str, Any]:
    """The SDK's own part of a local activity's marker: clear JSON without text of ours."""
    decoded = DataConverter.default.payload_converter.from_payloads(payloads.payloads)
    return decoded[0] if decoded and isinstance(decoded[0], dict) else {}


def _at(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime(tzinfo=UTC)
