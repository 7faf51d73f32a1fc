"""One ticket is one trace, spans have the fields of decisions, and no span has a text."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from opentelemetry import trace
from opentelemetry.util._once import Once
from temporalio.client import WorkflowFailureError
from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider
from temporalio.testing import WorkflowEnvironment

from adapters.temporal import CountersignPlugin, make_replayer, make_worker
from adapters.tracing import continued, fields_of, set_up_tracing, traceparent_of
from domain.action import ProposedAction, Refund
from domain.decision import Obligations, PolicyDecision, Reason, Verdict
from domain.effect import EffectIntent
from domain.fact import Money
from domain.model import Model
from tests.adapters.temporal_story import (
    PLANTED,
    TENANT,
    TICKET,
    Failing,
    InMemoryKeys,
    Story,
    Wake,
    fail,
    weigh,
)
from tests.adapters.test_temporal import TEST_SERVER

QUEUE = "stories"
DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "spans" / "spans.jsonl"


@pytest.fixture
def provider(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplaySafeTracerProvider]:
    # A process sets its provider once; a test must be able to take it back.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    provider = set_up_tracing(file, "worker")
    assert provider is not None
    yield provider
    provider.shutdown()


def spans(file: Path, provider: ReplaySafeTracerProvider) -> list[dict[str, object]]:
    provider.force_flush()
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_ticket_is_one_trace_and_replay_adds_nothing(
    file: Path, provider: ReplaySafeTracerProvider
) -> None:
    keys = InMemoryKeys()
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=str(TEST_SERVER), plugins=[CountersignPlugin(keys)]
        ) as environment,
        make_worker(environment.client, QUEUE, workflows=[Story, Failing], activities=[weigh, fail]),
    ):
        client, id_ = environment.client, f"ticket:{TENANT}:{uuid4().hex}"
        with continued(traceparent_of(TICKET.ticket_id)):
            handle = await client.start_workflow(Story.run, TICKET, id=id_, task_queue=QUEUE)
        with continued(traceparent_of(TICKET.ticket_id)):
            await handle.signal(Story.woken, Wake(tenant_id=TENANT))
        await handle.result()
        with continued(traceparent_of(TICKET.ticket_id)), pytest.raises(WorkflowFailureError):
            await client.execute_workflow(
                Failing.run, TICKET, id=f"ticket:{TENANT}:{uuid4().hex}", task_queue=QUEUE
            )
        history = await handle.fetch_history()

    told = spans(file, provider)
    assert {span["trace_id"] for span in told} == {TICKET.ticket_id.hex}
    steps = [span for span in told if span["name"] == "RunActivity:weigh"]
    assert len(steps) == 2
    attributes = steps[0]["attributes"]
    assert isinstance(attributes, dict)
    assert (attributes["tool"], attributes["tenant"], attributes["agent_id"]) == (
        "weigh",
        str(TENANT),
        "support_agent",
    )
    (failed,) = [span for span in told if span["name"] == "RunActivity:fail"]
    assert failed["status"] == "ERROR"
    assert failed["exceptions"] == ["temporalio.exceptions.ApplicationError"]
    assert PLANTED not in json.dumps(told)

    await make_replayer(keys, [Story]).replay_workflow(history)
    assert len(spans(file, provider)) == len(told)


class Decided(Model):
    """A result with decisions somewhere inside."""

    decisions: tuple[PolicyDecision, ...]


def test_fields_of_decisions_are_found_anywhere() -> None:
    decision = PolicyDecision(
        decision_id=f"dec_{'1' * 40}",
        verdict=Verdict.APPROVAL_NEEDED,
        reasons=(Reason(rule="refunds_stay_in_limits", code="refund_needs_approval"),),
        obligations=Obligations(),
        policy_version=DIGEST,
        action_digest=DIGEST,
        input_digest=DIGEST,
    )

    fields = fields_of((Decided(decisions=(decision, decision)),))

    assert fields["decision"] == ["approval_needed", "approval_needed"]
    assert fields["reason"] == ["refund_needs_approval", "refund_needs_approval"]
    assert fields["policy_version"] == DIGEST


def test_fields_of_effects_name_the_approval() -> None:
    refund = Refund(
        order=f"order_{'0' * 24}",
        payment=f"payment_{'0' * 24}",
        amount=Money(minor_units=1, currency="EUR"),
        playbook="p",
    )
    intent = EffectIntent(
        key=f"eff_{'0' * 40}",
        ticket=TICKET,
        proposed=ProposedAction(ordinal=0, action=refund),
        decision_id=f"dec_{'1' * 40}",
        approval_id=f"apr_{'2' * 32}",
        owner_epoch=0,
        turn=0,
    )

    fields = fields_of((intent,))

    assert (fields["approval_id"], fields["effect"]) == (f"apr_{'2' * 32}", "refund")


def test_without_a_file_nothing_is_traced() -> None:
    assert set_up_tracing(None, "worker") is None


@pytest.mark.parametrize("traceparent", [None, "", "garbage", "00-0-0-01"])
def test_unreadable_traceparent_is_no_error(traceparent: str | None) -> None:
    with continued(traceparent):
        assert not trace.get_current_span().get_span_context().is_valid
