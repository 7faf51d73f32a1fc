"""The application over fakes, called in this process."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.app import create_app
from api.doors import Doors
from tests.api.fakes import SLACK_SECRET, FakeHooks, FakeInbox, FakeStore, FakeTeams, standing_still


@pytest.fixture
def hooks() -> FakeHooks:
    return FakeHooks()


@pytest.fixture
def inbox() -> FakeInbox:
    return FakeInbox()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def doors(hooks: FakeHooks, inbox: FakeInbox, store: FakeStore) -> Doors:
    return Doors(
        hooks=hooks,
        inbox=inbox,
        teams=FakeTeams(),
        store_answers=store.answers,
        slack_signing_secret=SLACK_SECRET,
        clock=standing_still(),
    )


@pytest.fixture
async def client(doors: Doors) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(doors))
    async with httpx.AsyncClient(transport=transport, base_url="http://countersign.test") as client:
        yield client
