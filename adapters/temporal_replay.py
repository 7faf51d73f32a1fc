"""The replay gate: what Temporal's own replay does not see.

Temporal compares the order and names of commands, never their arguments, so a changed prompt or policy
replays clean. Two checks close this:

* **Drift.** Every step's result carries `input_digest`, the digest of what the step received. At replay the
  digest of the arguments *now* is compared with the recorded one: no reference but the history is needed.
* **Fingerprint.** One line per command (kind, name, digest of arguments, queue, time-outs), committed as text
  beside a golden history; a readable diff is the review. It covers children, whose results carry no digest.

    recorder = CommandRecorder()
    await make_replayer(keys, workflows, recorder).replay_workflow(history_of(text))
    assert recorder.drifts == []
    assert recorder.fingerprint() == committed_text

Workers use the same interceptor without a recorder: drift is logged, never raised.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from typing import Any, NoReturn, Protocol

from pydantic import BaseModel
from temporalio import worker, workflow
from temporalio.client import WorkflowHistory

from domain.model import Digest, digest_of

REPORT_DRIFT = "countersign_report_drift"
REPORT_COMMAND = "countersign_report_command"
REPORT_ANSWER = "countersign_report_answer"
STARTED = "workflowExecutionStartedEventAttributes"
SHORT_DIGEST = len("sha256:") + 16


@dataclass(frozen=True)
class Drift:
    """A step would get another input today than it got when the history was made."""

    workflow_id: str
    step: str
    recorded: Digest
    now: Digest


@dataclass(frozen=True)
class AnsweredStep:
    """A step as the code gives it out today, and what it answered when the history was made."""

    workflow_id: str
    step: str
    args: Sequence[Any]
    result: Any


@dataclass
class CommandRecorder:
    """Keeps everything, for replay."""

    drifts: list[Drift] = field(default_factory=list)
    answers: list[AnsweredStep] = field(default_factory=list)
    lines: dict[str, list[str]] = field(default_factory=dict)

    def drifted(self, drift: Drift) -> None:
        """Kept in order."""
        self.drifts.append(drift)

    def answered(self, answer: AnsweredStep) -> None:
        """Kept in order."""
        self.answers.append(answer)

    def commanded(self, workflow_id: str, line: str) -> None:
        """Kept in order, per workflow."""
        self.lines.setdefault(workflow_id, []).append(line)

    def fingerprint(self) -> str:
        """All lines, one command each; ids of workflows are left out, only their kind is in child lines."""
        return "".join(f"{line}\n" for line in chain.from_iterable(self.lines.values()))


def exported(history: WorkflowHistory) -> str:
    """A history as text, with its workflow id in it, which the test server leaves out."""
    document = json.loads(history.to_json())
    document["events"][0][STARTED].setdefault("workflowId", history.workflow_id)
    return json.dumps(document, indent=1) + "\n"


def history_of(text: str) -> WorkflowHistory:
    """What `exported` wrote, under the id it was made with: the codec takes the tenant from it."""
    return WorkflowHistory.from_json(json.loads(text)["events"][0][STARTED]["workflowId"], text)


def log_drift(drift: Drift) -> None:
    """For workers: the run goes on, the line is for alarms."""
    workflow.logger.warning("step_input_drifted", extra={"step": drift.step})


def digest_of_args(args: Sequence[Any]) -> Digest:
    """The digest a step computes over its input model; other arguments have no part in it."""
    return digest_of(*(arg for arg in args if isinstance(arg, BaseModel)))


class CommandWatch(worker.Interceptor):
    """Reports drift, and commands where a recorder wants them, through extern functions of the sandbox."""

    def __init__(self, recorder: CommandRecorder | None = None) -> None:
        self._recorder = recorder

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        """Puts the recorder within reach of the workflow's own thread."""
        extern = input.unsafe_extern_functions
        extern[REPORT_DRIFT] = self._recorder.drifted if self._recorder else log_drift
        if self._recorder:
            extern[REPORT_COMMAND] = self._recorder.commanded
            extern[REPORT_ANSWER] = self._recorder.answered
        return _Watched


class _Watched(worker.WorkflowInboundInterceptor):
    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_Commands(outbound))


class _Commands(worker.WorkflowOutboundInterceptor):
    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        _report("activity", input.activity, input, input.task_queue)
        return _compared(input.activity, input.args, super().start_activity(input))

    def start_local_activity(self, input: worker.StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        _report("local", input.activity, input, None)
        return _compared(input.activity, input.args, super().start_local_activity(input))

    async def start_child_workflow(
        self, input: worker.StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        _report("child", f"{input.workflow}({input.id.split(':')[0]})", input, input.task_queue)
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: worker.ContinueAsNewInput) -> NoReturn:
        _report("continue_as_new", input.workflow or "same", input, input.task_queue)
        super().continue_as_new(input)


def _compared(
    step: str, args: Sequence[Any], handle: workflow.ActivityHandle[Any]
) -> workflow.ActivityHandle[Any]:
    now = digest_of_args(args)

    def compare(done: "asyncio.Future[Any]") -> None:
        if done.cancelled() or done.exception() is not None:
            return
        report = workflow.extern_functions().get(REPORT_ANSWER)
        if report is not None:
            report(AnsweredStep(workflow.info().workflow_id, step, args, done.result()))
        recorded = getattr(done.result(), "input_digest", None)
        if recorded is not None and recorded != now:
            drift = Drift(workflow.info().workflow_id, step, recorded, now)
            workflow.extern_functions()[REPORT_DRIFT](drift)

    handle.add_done_callback(compare)
    return handle


class _Command(Protocol):
    @property
    def args(self) -> Sequence[Any]: ...


def _report(kind: str, name: str, input: _Command, queue: str | None) -> None:
    report = workflow.extern_functions().get(REPORT_COMMAND)
    if report is None:
        return
    parts = [kind, name, digest_of_args(input.args)[:SHORT_DIGEST]]
    parts += [f"queue={queue}"] if queue else []
    report(workflow.info().workflow_id, " ".join([*parts, *_timeouts(input)]))


def _timeouts(input: _Command) -> list[str]:
    named = {name: value for name, value in vars(input).items() if isinstance(value, timedelta)}
    return [f"{name}={value.total_seconds():g}s" for name, value in sorted(named.items())]
