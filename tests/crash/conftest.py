"""One running system with two workers, for all trials that kill a part of it."""

from collections.abc import AsyncIterator

import pytest

from adapters.embedded.home import temporary_home
from adapters.settings import Settings
from cli.connected import connected
from cli.demo_world import build
from cli.processes import Stack, StackOptions
from tests.end_to_end.records import records_of
from tests.end_to_end.system import System


@pytest.fixture(scope="package")
async def system() -> AsyncIterator[System]:
    """Real servers, doors, two workers and emulators, each a process of its own."""
    with temporary_home() as home:
        options = StackOptions(workers=2, emulators=True, usual_ports=False)
        stack = Stack(home, Settings(_env_file=None), options)
        try:
            await stack.start()
            emulators = await build(stack, recontact_window_s=0, policies={})
            async with connected(stack.settings) as connections:
                yield System(stack, emulators, connections, records_of(stack))
        finally:
            await stack.stop()
