"""Homes, and a whole system that several tests look at."""

from collections.abc import AsyncIterator, Iterator

import pytest

from adapters.embedded.home import Home, temporary_home
from adapters.settings import Settings
from cli.processes import Stack, StackOptions


@pytest.fixture
def home() -> Iterator[Home]:
    with temporary_home() as made:
        yield made


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """Everything, emulators included, on ports of its own."""
    with temporary_home() as made:
        system = Stack(made, Settings(_env_file=None), StackOptions(emulators=True, usual_ports=False))
        try:
            await system.start()
            yield system
        finally:
            await system.stop()
