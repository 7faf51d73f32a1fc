"""The emulators, the app they call, and Slack's own client in front of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from slack_sdk.web.async_client import AsyncWebClient

from emulators.app import create_app
from emulators.setup import Setup
from tests.emulators.serving import Receiver, Town, serve, setup


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest_asyncio.fixture
async def app_url(receiver: Receiver) -> AsyncIterator[str]:
    async with serve(receiver) as url:
        yield url


@pytest_asyncio.fixture
async def town(app_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    app = create_app(tmp_path / "emulators", Setup.model_validate(setup(app_url)), waits_s=(0.0, 0.0))
    async with serve(app) as url:
        yield Town(url)


@pytest.fixture
def slack(town: Town) -> AsyncWebClient:
    return AsyncWebClient(token="xoxb-harbour", base_url=f"{town.url}/slack/api/")
