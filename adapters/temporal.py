"""The one place that makes Temporal clients, workers and replayers, all with the same plugin.

Workers inherit the plugin from their client: given to a worker alone it would silently write plain JSON.
Set up tracing (`adapters/tracing.py`) before `connect`: the plugin traces where spans have a place to go.
"""

import dataclasses
import logging
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from opentelemetry.trace import get_tracer_provider
from temporalio import client as temporal_client
from temporalio import worker as temporal_worker
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor, ReplaySafeTracerProvider
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadConverter,
)
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.plugin import SimplePlugin
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker import Replayer, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from adapters.temporal_codec import KeyRing, TenantCodec, TenantKeys
from adapters.temporal_replay import CommandRecorder, CommandWatch
from adapters.temporal_tenants import TenantGuard
from adapters.tracing import StepAttributes

# Loaded once for all runs: 40 models in the sandbox cost 766 KiB and 28 ms a run, else 77 KiB and 3 ms.
PASSED_THROUGH = (
    "domain",
    "activities",
    "workflows.activity_options",
    "workflows.ids",
    "workflows.messages",
    "opentelemetry",
)
# Decides alone how long a worker's death is noticed by nobody (1 s against 10 s, measured).
STICKY = timedelta(seconds=1)
GRACE = timedelta(seconds=10)
# More of them than a core can serve within a workflow task's three seconds are timed out and done again:
# 120 tickets at once took 330 s with 40, losing 493 tasks and 200 steps, and 133 s with 8, losing none.
RUNS_AT_ONCE = 8
DEFAULT_ADDRESS = "127.0.0.1:7233"
CORE_LOGGER = "temporalio.core"

Interceptor = temporal_client.Interceptor | temporal_worker.Interceptor


class ForeignCodec(Exception):
    """A client of another making would write histories that anybody can read."""

    def __init__(self) -> None:
        super().__init__("This Temporal client does not encrypt for tenants. Make it with adapters.temporal")


class CountersignPlugin(SimplePlugin):
    """Converter, codec, failure encoding, interceptors and sandbox passthrough, for clients and replayers.

    Keep workflows, activities and pools out: they would be registered twice or opened at each replay.
    """

    def __init__(self, keys: TenantKeys, recorder: CommandRecorder | None = None) -> None:
        super().__init__(
            "countersign",
            data_converter=data_converter(keys),
            interceptors=[*_tracing(), StepAttributes(), TenantGuard(), CommandWatch(recorder)],
            workflow_runner=_passing_through,
        )


class TracelessFailures(DefaultFailureConverterWithEncodedAttributes):
    """Encodes messages and keeps stack traces out: they are long and name the machine's paths."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """The traceback stays with the exception for the worker's own log."""
        traceback, exception.__traceback__ = exception.__traceback__, None
        try:
            super().to_failure(exception, payload_converter, failure)
        finally:
            exception.__traceback__ = traceback


def data_converter(keys: TenantKeys) -> DataConverter:
    """Pydantic JSON, encrypted for the tenant; the messages of failures too."""
    return DataConverter(
        payload_converter_class=PydanticPayloadConverter,
        payload_codec=TenantCodec(KeyRing(keys)),
        failure_converter_class=TracelessFailures,
    )


async def connect(  # noqa: PLR0913 - all but the keys by name
    keys: TenantKeys,
    *,
    address: str | None = None,
    profile: str | None = None,
    namespace: str = "countersign",
    role: str = "client",
    lazy: bool = False,
) -> Client:
    """A client for `address`, or for what Temporal's own variables and profile files say.

    A lazy one connects at its first call, for whoever has something to do before.

    `namespace` is used where these name none; `role` is what Temporal shows as identity, without a host name.
    """
    configured = _configured(address, profile)
    configured.setdefault("target_host", DEFAULT_ADDRESS)
    configured.setdefault("namespace", namespace)
    return await Client.connect(
        **configured,
        plugins=[CountersignPlugin(keys)],
        identity=f"{role}:{os.getpid()}",
        lazy=lazy,
        runtime=_runtime(),
    )


def make_worker(
    client: Client,
    task_queue: str,
    *,
    workflows: Sequence[type] = (),
    activities: Sequence[Callable[..., Any]] = (),
    max_concurrent_activities: int = 20,
) -> Worker:
    """A worker that notices a dead neighbour within seconds and finishes its own steps before it stops.

    Raises `ForeignCodec` for a client that `connect` did not make.
    """
    if not isinstance(client.data_converter.payload_codec, TenantCodec):
        raise ForeignCodec
    return Worker(
        client,
        task_queue=task_queue,
        workflows=workflows,
        activities=activities,
        max_cached_workflows=500,
        max_concurrent_workflow_tasks=RUNS_AT_ONCE,
        max_concurrent_activities=max_concurrent_activities,
        max_concurrent_local_activities=RUNS_AT_ONCE,
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
    )


def make_replayer(
    keys: TenantKeys, workflows: Sequence[type], recorder: CommandRecorder | None = None
) -> Replayer:
    """Replays histories as a worker would; a recorder also hears drift and commands."""
    plugin = CountersignPlugin(keys, recorder)
    return Replayer(workflows=workflows, plugins=[plugin], runtime=_runtime())


def _configured(address: str | None, profile: str | None) -> ClientConnectConfig:
    # An explicit address must not meet the TLS or key of somebody's default profile file.
    by_address = address is not None and profile is None
    configured = ClientConfig.load_client_connect_config(profile=profile, disable_file=by_address)
    if address is not None:
        configured["target_host"] = address
    return configured


def _tracing() -> list[Interceptor]:
    traced = isinstance(get_tracer_provider(), ReplaySafeTracerProvider)
    return [OpenTelemetryInterceptor(add_temporal_spans=True)] if traced else []


def _passing_through(runner: WorkflowRunner | None) -> WorkflowRunner:
    if isinstance(runner, SandboxedWorkflowRunner):
        wider = runner.restrictions.with_passthrough_modules(*PASSED_THROUGH)
        return dataclasses.replace(runner, restrictions=wider)
    return runner or SandboxedWorkflowRunner()


@lru_cache(maxsize=1)
def _runtime() -> Runtime:
    # Only Core's constant sentences: its fields quote failures, and by itself it would write to stdout.
    forwarding = LogForwardingConfig(
        logger=logging.getLogger(CORE_LOGGER),
        append_target_to_name=False,
        prepend_target_on_message=False,
        append_log_fields_to_message=False,
    )
    quiet = TelemetryFilter(core_level="WARN", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=quiet, forwarding=forwarding)))
