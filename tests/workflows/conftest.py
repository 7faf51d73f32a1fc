"""One time-skipping server for the tests of a module; each test has its own office and task queue."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment

from adapters.in_memory import InMemoryKeys
from adapters.temporal import CountersignPlugin
from workflows.ids import SEARCH_ATTRIBUTES

TEST_SERVER = Path(sys.executable).with_name("temporal-test-server")


@asynccontextmanager
async def opened_environment() -> AsyncIterator[WorkflowEnvironment]:
    plugin = CountersignPlugin(InMemoryKeys())
    async with await WorkflowEnvironment.start_time_skipping(
        plugins=[plugin], test_server_existing_path=str(TEST_SERVER)
    ) as environment:
        kinds = {name.name: IndexedValueType.ValueType(name.indexed_value_type) for name in SEARCH_ATTRIBUTES}
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace="default", search_attributes=kinds)
        )
        yield environment


@pytest.fixture(scope="module")
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    async with opened_environment() as environment:
        yield environment
