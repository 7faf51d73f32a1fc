"""What every door has in common: problem bodies, health, and no 5xx whatever is sent."""

import asyncio
import json
from http import HTTPStatus
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from adapters.helpdesks.standard_webhooks import signature
from api.app import create_app
from api.doors import Doors
from tests.api.fakes import NOW, PATH, SECRET, FakeStore

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
DOCUMENTS = JSON | st.builds(
    lambda named, id_: {**named, "ticket_id": id_}, st.dictionaries(st.text(), JSON), JSON
)
HEADER_VALUES = st.binary(max_size=60).filter(lambda value: not set(value) & {0, 10, 13})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", HTTPStatus.NOT_FOUND),
        ("GET", "/health/live/", HTTPStatus.NOT_FOUND),
        ("GET", PATH, HTTPStatus.METHOD_NOT_ALLOWED),
        ("PUT", "/slack/events", HTTPStatus.METHOD_NOT_ALLOWED),
    ],
)
async def test_refusal_of_the_framework_is_a_problem_too(
    client: httpx.AsyncClient, method: str, path: str, status: HTTPStatus
) -> None:
    answer = await client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"urn:countersign:problem:{status.name.lower()}",
        "title": status.phrase,
        "status": status.value,
    }


async def test_process_that_answers_is_live(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/live")

    assert answer.json() == {"status": "ok"}


async def test_ready_without_temporal_because_webhooks_can_be_kept(
    doors: Doors, unused_tcp_port: int
) -> None:
    absent = Doors(**{**vars(doors), "temporal_address": f"127.0.0.1:{unused_tcp_port}"})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(absent)), base_url="http://countersign.test"
    ) as client:
        answer = await client.get("/health/ready")

    assert answer.status_code == HTTPStatus.OK
    assert answer.json() == {"status": "ok", "database": "ok", "temporal": "unavailable"}


async def test_ready_tells_that_temporal_listens(doors: Doors) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    present = Doors(**{**vars(doors), "temporal_address": f"127.0.0.1:{port}"})

    async with (
        server,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(present)), base_url="http://countersign.test"
        ) as client,
    ):
        answer = await client.get("/health/ready")

    assert answer.json()["temporal"] == "ok"


async def test_not_ready_without_the_database(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.failure = OperationalError("select", {}, Exception("away"))

    answer = await client.get("/health/ready")

    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["database"] == "unavailable"


async def test_description_names_every_door(client: httpx.AsyncClient) -> None:
    description = (await client.get("/openapi.json")).json()

    assert set(description["paths"]) == {
        "/hooks/{tenant}/{source}/{slug}",
        "/slack/events",
        "/health/live",
        "/health/ready",
    }
    responses = description["paths"]["/hooks/{tenant}/{source}/{slug}"]["post"]["responses"]
    assert set(responses) >= {"200", "202", "400", "401", "404", "413", "422", "503"}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(document=DOCUMENTS)
async def test_any_signed_document_is_answered(client: httpx.AsyncClient, document: object) -> None:
    body = json.dumps(document).encode()
    at = str(int(NOW))
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": at,
        "webhook-signature": signature(SECRET, "m1", at, body).decode(),
    }

    answer = await client.post(PATH, content=body, headers=headers)

    assert answer.status_code in {200, 202, 422}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]),
    parts=st.tuples(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20)),
    headers=st.dictionaries(
        st.sampled_from(
            ["webhook-id", "webhook-timestamp", "webhook-signature", "x-slack-signature", "content-type"]
        ),
        HEADER_VALUES,
    ),
    body=st.binary(max_size=200),
)
async def test_nothing_that_is_sent_to_a_described_door_is_answered_5xx(
    client: httpx.AsyncClient,
    method: str,
    parts: tuple[str, str, str],
    headers: dict[str, bytes],
    body: bytes,
) -> None:
    described = (await client.get("/openapi.json")).json()["paths"]
    named = {
        name: quote(part, safe="") for name, part in zip(("tenant", "source", "slug"), parts, strict=True)
    }
    sent = [(name.encode(), value) for name, value in headers.items()]

    answers = [
        await client.request(method, path.format(**named), content=body, headers=sent)
        for path in (PATH, *described)
    ]

    assert max(answer.status_code for answer in answers) < HTTPStatus.INTERNAL_SERVER_ERROR
