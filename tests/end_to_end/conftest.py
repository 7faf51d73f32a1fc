"""One running system for all end-to-end tests, with both shops of the demo in it."""

from collections.abc import AsyncIterator

import pytest

from adapters.embedded.home import temporary_home
from adapters.settings import Settings
from cli.connected import connected
from cli.demo_world import build
from cli.processes import Stack, StackOptions
from tests.end_to_end.records import records_of
from tests.end_to_end.system import System

# The real redaction, which dies at a marked text.
REDACTION = "tests.adapters.mortal_child"


@pytest.fixture(scope="session")
async def system() -> AsyncIterator[System]:
    """Real servers, doors, worker and emulators, each a process of its own."""
    with temporary_home() as home:
        settings = Settings(_env_file=None, spans_file=home.logs / "spans.jsonl", redaction_module=REDACTION)
        stack = Stack(home, settings, StackOptions(workers=1, emulators=True, usual_ports=False))
        try:
            await stack.start()
            emulators = await build(stack, recontact_window_s=0, policies={})
            async with connected(stack.settings) as connections:
                yield System(stack, emulators, connections, records_of(stack))
        finally:
            await stack.stop()
