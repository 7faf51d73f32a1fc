"""OpenTelemetry spans as JSON lines, with fields of decisions and without any text of a failure.

One ticket is one trace: its trace id is the ticket's id, so webhooks, turns, clicks and effects meet in it
however many processes they pass through.
"""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from pydantic import BaseModel
from temporalio import activity, worker
from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider, create_tracer_provider

from domain.approval import ApprovalRequest, ApprovalResult
from domain.decision import AgentInput, PolicyDecision
from domain.effect import EffectIntent, EffectResult

MAX_DECISIONS = 8  # a plan has a handful of actions; a longer one is cut in the span only
_PROPAGATOR = TraceContextTextMapPropagator()


def set_up_tracing(spans_file: Path | None, service: str) -> ReplaySafeTracerProvider | None:
    """Call once per process, before `adapters.temporal.connect`. No file, no spans.

    Returns the provider, to be shut down at the end of the process: it writes what is still buffered.
    """
    if spans_file is None:
        return None
    provider = create_tracer_provider(resource=Resource({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(SpanLines(spans_file), schedule_delay_millis=500))
    trace.set_tracer_provider(provider)
    return provider


def traceparent_of(ticket_id: UUID) -> str:
    """For the inbox row: a W3C traceparent whose trace is the ticket."""
    return f"00-{ticket_id.hex}-{secrets.token_hex(8)}-01"


@contextmanager
def continued(traceparent: str | None) -> Iterator[None]:
    """What is called inside belongs to the trace of an inbox row; an unreadable one starts a new trace."""
    found = _PROPAGATOR.extract({"traceparent": traceparent} if traceparent else {})
    token = otel_context.attach(found)
    try:
        yield
    finally:
        otel_context.detach(token)


class SpanLines(SpanExporter):
    """Appends spans to a file. Descriptions, exception messages and stacks stay behind."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """One line per span; several processes may append to one file."""
        self._file.write("".join(f"{json.dumps(span_line(span))}\n" for span in spans))
        self._file.flush()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Closes the file."""
        self._file.close()


def span_line(span: ReadableSpan) -> dict[str, object]:
    """The span without texts: of an exception only the type is left, of a status only the code."""
    context = span.get_span_context()
    return {
        "name": span.name,
        "trace_id": f"{context.trace_id:032x}" if context else None,
        "span_id": f"{context.span_id:016x}" if context else None,
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "service": span.resource.attributes.get("service.name"),
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "status": span.status.status_code.name,
        "attributes": dict(span.attributes or {}),
        "exceptions": [_type_of(event.attributes) for event in span.events if event.name == "exception"],
    }


def _type_of(attributes: Mapping[str, AttributeValue] | None) -> str:
    return str((attributes or {}).get("exception.type", "unknown"))


class StepAttributes(worker.Interceptor):
    """Gives each step's span the fields operators ask for, read off what the step got and returned."""

    def intercept_activity(
        self, next: worker.ActivityInboundInterceptor
    ) -> worker.ActivityInboundInterceptor:
        """Steps only; workflows have no fields of their own."""
        return _StepSpan(next)


class _StepSpan(worker.ActivityInboundInterceptor):
    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        span = trace.get_current_span()
        if not span.is_recording():
            return await super().execute_activity(input)
        info = activity.info()
        span.set_attributes({"tool": info.activity_type, "agent_id": AgentInput().id})
        span.set_attribute("tenant", (info.workflow_id or "::").split(":")[1])
        span.set_attributes(fields_of(input.args))
        result = await super().execute_activity(input)
        span.set_attributes(fields_of((result,)))
        return result


def fields_of(values: Iterable[object]) -> dict[str, AttributeValue]:
    """The fields of decisions, approvals and effects anywhere in `values`; codes and ids only."""
    fields: dict[str, AttributeValue] = {}
    decisions = [found for found in _walk(values) if isinstance(found, PolicyDecision)][:MAX_DECISIONS]
    if decisions:
        fields["decision"] = [f"{made.verdict}" for made in decisions]
        fields["reason"] = [reason.code for made in decisions for reason in made.reasons]
        fields["decision_id"] = [made.decision_id for made in decisions]
        fields["policy_version"] = decisions[0].policy_version
    for found in _walk(values):
        fields.update(_fields_of_record(found))
    return fields


def _fields_of_record(found: object) -> dict[str, AttributeValue]:
    match found:
        case EffectIntent():
            named = {"approval_id": found.approval_id} if found.approval_id else {}
            return {"effect": found.proposed.action.type.value, "effect_key": found.key, **named}
        case EffectResult():
            return {"effect_state": found.state.value}
        case ApprovalRequest() | ApprovalResult():
            return {"approval_id": found.approval_id}
        case _:
            return {}


def _walk(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        if isinstance(value, BaseModel):
            yield value
            yield from _walk(getattr(value, field) for field in type(value).model_fields)
        elif isinstance(value, tuple | list):
            yield from _walk(value)
