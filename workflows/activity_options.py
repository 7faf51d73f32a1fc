"""Time-outs and retries of steps, by intent.

Trouble with infrastructure is bounded by time, never by attempts: a short outage must not close a ticket.
Our own verdicts are permanent by class name and end a step at once.
"""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy

from domain.errors import PERMANENT_ERRORS


class StepOptions(TypedDict):
    """Of a step that is over within seconds. The SDK's own type has a summary too, which each call gives."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class BeatingStepOptions(StepOptions):
    """Of a step that may take long and says that it is alive."""

    heartbeat_timeout: timedelta


RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=5),
    non_retryable_error_types=[error.__name__ for error in PERMANENT_ERRORS],
)

# Fast, internal, repeatable. An update waits for a chain of these.
LOCAL_STEP = StepOptions(
    start_to_close_timeout=timedelta(seconds=5),
    schedule_to_close_timeout=timedelta(minutes=5),
    retry_policy=RETRY,
)

# Over foreign text, in a child process with its own, shorter deadline.
REDACTION = StepOptions(
    start_to_close_timeout=timedelta(seconds=20),
    schedule_to_close_timeout=timedelta(minutes=5),
    retry_policy=RETRY,
)

# Over the network, changes nothing. Short, because without heartbeats this is how a dead worker is noticed.
NETWORK_READ = StepOptions(
    start_to_close_timeout=timedelta(seconds=5),
    schedule_to_close_timeout=timedelta(minutes=10),
    retry_policy=RETRY,
)

# An outward change. It beats, and gives up by itself before the last of these time-outs.
EFFECT = BeatingStepOptions(
    start_to_close_timeout=timedelta(minutes=2),
    schedule_to_close_timeout=timedelta(minutes=15),
    heartbeat_timeout=timedelta(seconds=1.5),
    retry_policy=RETRY,
)
