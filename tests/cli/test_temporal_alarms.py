"""Workflows that cannot go on and histories kept too short are found in a real Temporal."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio import workflow
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from adapters.embedded.home import temporary_home
from adapters.embedded.temporal import NAMESPACE, TemporalServer, start_temporal
from cli.temporal_alarms import Found, Watched
from domain.ticket import Stage
from tests.end_to_end.polling import eventually
from workflows.ids import STAGE

QUEUE = "alarms"


@workflow.defn(name="TicketWorkflow")
class Broken:
    """Has a bug: its task fails, and is tried again for ever."""

    @workflow.run
    async def run(self) -> None:
        raise KeyError


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[TemporalServer]:
    with temporary_home() as home:
        started = await asyncio.to_thread(start_temporal, home, None, None)
        yield started
        await asyncio.to_thread(started.stop)


@pytest.fixture
async def client(server: TemporalServer) -> Client:
    return await Client.connect(server.address, namespace=NAMESPACE)


async def _start(client: Client, stage: Stage) -> str:
    handle = await client.start_workflow(
        "TicketWorkflow",
        id=f"ticket:{uuid4()}",
        task_queue=QUEUE,
        search_attributes=TypedSearchAttributes([SearchAttributePair(STAGE, stage.value)]),
    )
    return handle.id


async def _stop(client: Client, *ids: str) -> None:
    for each in ids:
        await client.get_workflow_handle(each).terminate()


async def test_a_workflow_with_a_bug_is_found_soon(client: Client) -> None:
    watched = Watched(client.service_client, NAMESPACE)
    assert await watched.stuck() == Found(0, [])
    started = await _start(client, Stage.FETCHING)

    async def stuck() -> Found | None:
        found = await watched.stuck()
        return found if found.count else None

    async with Worker(
        client, task_queue=QUEUE, workflows=[Broken], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        found = await eventually(stuck, "the stuck workflow", within_s=30)

    assert found == Found(1, [started])
    await _stop(client, started)


async def test_a_ticket_that_stays_in_a_short_step_is_found_and_one_that_waits_is_not(client: Client) -> None:
    short, waits = await _start(client, Stage.PERFORMING), await _start(client, Stage.WAITING_FOR_APPROVAL)
    watched = Watched(client.service_client, NAMESPACE, slow_after=timedelta(seconds=-60))

    async def slow() -> Found | None:
        found = await watched.slow()
        return found if found.count else None

    assert await eventually(slow, "the slow ticket") == Found(1, [short])
    assert await Watched(client.service_client, NAMESPACE).slow() == Found(0, [])
    await _stop(client, short, waits)


async def test_histories_kept_for_less_than_a_week_are_found(client: Client) -> None:
    watched = Watched(client.service_client, NAMESPACE)
    assert await watched.short_retention_days() is None
    short = Duration()
    short.FromTimedelta(timedelta(days=3))
    config = NamespaceConfig(workflow_execution_retention_ttl=short)

    await client.workflow_service.update_namespace(UpdateNamespaceRequest(namespace=NAMESPACE, config=config))

    async def found() -> int | None:
        return await watched.short_retention_days()

    assert await eventually(found, "the short retention") == 3
