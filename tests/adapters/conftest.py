"""The emulators, once per session, emptied before each test that asks for them."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from adapters.http import RestApi, shared_client
from adapters.slack.client import SlackApi
from tests.adapters.emulated import Emulated, installation_of, running_emulators


@pytest.fixture(scope="session")
def emulators_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    with running_emulators(tmp_path_factory.mktemp("emulators")) as emulated:
        yield emulated


@pytest.fixture
def emulated(emulators_process: Emulated) -> Emulated:
    emulators_process.reset()
    return emulators_process


@pytest.fixture
async def http_client() -> AsyncIterator[httpx.AsyncClient]:
    async with shared_client() as client:
        yield client


def rest_api(client: httpx.AsyncClient, emulated: Emulated, surface: str) -> RestApi:
    async def endpoint_of(tenant_id: object) -> object:
        return emulated.endpoint(surface)

    return RestApi(client, surface, endpoint_of)  # type: ignore[arg-type]


@pytest.fixture
def helpdesk_api(http_client: httpx.AsyncClient, emulated: Emulated) -> RestApi:
    return rest_api(http_client, emulated, "helpdesk")


@pytest.fixture
def shop_api(http_client: httpx.AsyncClient, emulated: Emulated) -> RestApi:
    return rest_api(http_client, emulated, "shop")


@pytest.fixture
def payments_api(http_client: httpx.AsyncClient, emulated: Emulated) -> RestApi:
    return rest_api(http_client, emulated, "payments")


@pytest.fixture
async def slack_api(emulated: Emulated) -> AsyncIterator[SlackApi]:
    api = SlackApi(installation_of, f"{emulated.base_url}/slack/api/")
    yield api
    await api.close()
