"""The helpdesks' door: what it takes, what it refuses, and that it never answers 5xx to bad input."""

import asyncio
import json
from http import HTTPStatus

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from adapters.helpdesks.standard_webhooks import signature
from adapters.postgres.hooks import Hook
from domain.ticket import route_key
from tests.api.fakes import (
    NEXT_SECRET,
    NOW,
    PATH,
    ROUTING_SECRET,
    SECRET,
    TENANT,
    FakeHooks,
    FakeInbox,
)

BODY = b'{"type":"ticket.message_created","ticket_id":"1001"}'


def signed(
    body: bytes = BODY, *, id_: str = "msg_1", at: float = NOW, secret: str = SECRET
) -> dict[str, str]:
    timestamp = str(int(at))
    return {
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(secret, id_, timestamp, body).decode(),
    }


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in signed().items() if key != name}


async def test_signed_delivery_is_committed_and_acknowledged(
    client: httpx.AsyncClient, inbox: FakeInbox
) -> None:
    answer = await client.post(PATH, content=BODY, headers=signed())

    assert answer.status_code == HTTPStatus.ACCEPTED
    [(delivery_id, arrival)] = inbox.rows.values()
    assert answer.json() == {"delivery_id": str(delivery_id)}
    assert arrival.tenant_id == TENANT
    assert arrival.route == route_key(ROUTING_SECRET, "generic", "1001")
    assert arrival.external_id == "1001"


async def test_fifty_copies_at_once_are_one_delivery(client: httpx.AsyncClient, inbox: FakeInbox) -> None:
    answers = await asyncio.gather(*(client.post(PATH, content=BODY, headers=signed()) for _ in range(50)))

    assert len(inbox.rows) == 1
    assert len({answer.json()["delivery_id"] for answer in answers}) == 1
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [202]


async def test_delivery_id_of_the_sender_is_kept_as_a_digest_only(
    client: httpx.AsyncClient, inbox: FakeInbox
) -> None:
    await client.post(PATH, content=BODY, headers=signed(id_="carla@example.test"))

    [arrival] = inbox.arrivals
    assert "carla" not in arrival.delivery_key
    assert len(arrival.delivery_key) == 32


ECHO = {"ticket_id": "1001", "author": "automation", "reference": f"eff_{'0' * 40}"}


async def test_echo_of_our_own_message_is_acknowledged_and_kept_nowhere(
    client: httpx.AsyncClient, inbox: FakeInbox
) -> None:
    body = json.dumps(ECHO).encode()

    first, copy = [await client.post(PATH, content=body, headers=signed(body)) for _ in range(2)]

    assert (first.status_code, copy.status_code) == (HTTPStatus.ACCEPTED, HTTPStatus.ACCEPTED)
    assert first.json() == copy.json()
    assert not inbox.rows


async def test_echo_that_nobody_signed_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, content=json.dumps(ECHO).encode(), headers=signed())

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"author": "customer"}, "a customer may quote anything"),
        ({"author": "teammate"}, "a teammate's word may change who owns the ticket"),
        ({"reference": None}, "another program's message"),
        ({"reference": "rule-17"}, "the same"),
        ({"reference": f"eff_{'0' * 40} "}, "not quite a key of ours"),
        ({"reference": ["eff_"]}, "nothing we know"),
    ],
)
async def test_what_is_not_certainly_our_echo_is_a_delivery(
    client: httpx.AsyncClient, inbox: FakeInbox, said: dict[str, object], note: str
) -> None:
    body = json.dumps({**ECHO, **said}).encode()

    await client.post(PATH, content=body, headers=signed(body))

    assert len(inbox.rows) == 1, note


REFUSED = {
    "wrong secret": signed(secret=NEXT_SECRET),
    "another body": signed(b"{}"),
    "another id": {**signed(), "webhook-id": "msg_2"},
    "301 seconds old": signed(at=NOW - 301),
    "301 seconds ahead": signed(at=NOW + 301),
    "no id": without("webhook-id"),
    "no timestamp": without("webhook-timestamp"),
    "no signature": without("webhook-signature"),
    "empty signature": {**signed(), "webhook-signature": ""},
    "signature of spaces": {**signed(), "webhook-signature": "   "},
    "unknown version": {**signed(), "webhook-signature": signed()["webhook-signature"].replace("v1,", "v2,")},
    "no version": {**signed(), "webhook-signature": signed()["webhook-signature"].removeprefix("v1,")},
    "not base64": {**signed(), "webhook-signature": "v1,%%%"},
    "timestamp of letters": {**signed(), "webhook-timestamp": "abc"},
    "negative timestamp": {**signed(), "webhook-timestamp": "-1"},
    "endless timestamp": {**signed(), "webhook-timestamp": "9" * 5000},
    "decimal timestamp": {**signed(), "webhook-timestamp": f"{int(NOW)}.0"},
    "overlong id": {**signed(), "webhook-id": "m" * 257},
    "overlong signature": {**signed(), "webhook-signature": "v1,a " * 1000},
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED.keys())
async def test_unproven_delivery_is_refused(
    client: httpx.AsyncClient, inbox: FakeInbox, headers: dict[str, str]
) -> None:
    answer = await client.post(PATH, content=BODY, headers=headers)

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.headers["content-type"] == "application/problem+json"
    assert not inbox.rows


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [b"v1,\xe9", "١٢٣".encode(), b"\xff\xfe"])
async def test_header_outside_ascii_is_refused(client: httpx.AsyncClient, name: str, value: bytes) -> None:
    headers = [(key.encode(), text.encode()) for key, text in without(name).items()]

    answer = await client.post(PATH, content=BODY, headers=[*headers, (name.encode(), value)])

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_doubled_header_is_refused(client: httpx.AsyncClient, name: str) -> None:
    headers = [*signed().items(), (name, signed()[name])]

    answer = await client.post(PATH, content=BODY, headers=headers)

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("age", [-300, 0, 300])
async def test_delivery_within_five_minutes_is_taken(client: httpx.AsyncClient, age: int) -> None:
    answer = await client.post(PATH, content=BODY, headers=signed(at=NOW + age))

    assert answer.status_code == HTTPStatus.ACCEPTED


async def test_one_right_signature_among_several_is_enough(client: httpx.AsyncClient) -> None:
    wrong = signed(secret=NEXT_SECRET)["webhook-signature"]
    both = {**signed(), "webhook-signature": f"{wrong} {signed()['webhook-signature']}"}

    answer = await client.post(PATH, content=BODY, headers=both)

    assert answer.status_code == HTTPStatus.ACCEPTED


async def test_any_active_secret_is_good(client: httpx.AsyncClient, hooks: FakeHooks) -> None:
    hooks.hook = Hook(TENANT, (NEXT_SECRET, SECRET), ROUTING_SECRET)

    answer = await client.post(PATH, content=BODY, headers=signed())

    assert answer.status_code == HTTPStatus.ACCEPTED


async def test_secret_rotated_a_moment_ago_is_already_good(
    client: httpx.AsyncClient, hooks: FakeHooks
) -> None:
    hooks.rotated = Hook(TENANT, (NEXT_SECRET,), ROUTING_SECRET)

    answer = await client.post(PATH, content=BODY, headers=signed(secret=NEXT_SECRET))

    assert answer.status_code == HTTPStatus.ACCEPTED


@pytest.mark.parametrize("weak", ["", "whsec_", "whsec_c2hvcnQ="])
async def test_weak_secret_proves_nothing(client: httpx.AsyncClient, hooks: FakeHooks, weak: str) -> None:
    hooks.hook = Hook(TENANT, (weak,), ROUTING_SECRET)

    answer = await client.post(PATH, content=BODY, headers=signed(secret=weak))

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    "path",
    [
        "/hooks/another/generic/slug-of-harbour",
        "/hooks/harbour_books/zendesk/slug-of-harbour",
        "/hooks/harbour_books/generic/another-slug",
        "/hooks/harbour_books/generic/slug-of-harbour/",
        "/hooks/%00/generic/slug-of-harbour",
        "/hooks/harbour_books/generic/%00%00%00%00%00%00%00%00",
        "/hooks/harbour_books/generic/%ff%fe%fd%fc%fb%fa%f9%f8",
        "/hooks/HARBOUR_BOOKS/generic/slug-of-harbour",
        "/hooks/harbour_books%0a/generic/slug-of-harbour",
        "/hooks/harbour_books/generic",
    ],
)
async def test_unknown_address_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path, content=BODY, headers=signed())

    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.headers["content-type"] == "application/problem+json"
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe\xfd", 400),
        (b'{"ticket_id": "1"} x', 400),
        (b"[" * 100_000, 400),
        (b'{"ticket_id":' + b"1" * 5000 + b"}", 400),
        (b"[]", 422),
        (b'[{"ticket_id":"1"}]', 422),
        (b'"1001"', 422),
        (b"null", 422),
        (b"1001", 422),
    ],
)
async def test_malformed_body_is_a_problem_of_the_sender(
    client: httpx.AsyncClient, inbox: FakeInbox, body: bytes, status: int
) -> None:
    answer = await client.post(PATH, content=body, headers=signed(body))

    assert answer.status_code == status
    assert answer.json()["type"] == "urn:countersign:problem:malformed_body"
    assert not inbox.rows


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"ticket_id": None},
        {"ticket_id": ""},
        {"ticket_id": ["1001"]},
        {"ticket_id": {"id": "1001"}},
        {"ticket_id": True},
        {"ticket_id": "1" * 201},
        {"ticket_id": "10\u000001"},
        {"ticket_id": "\ud800"},
        {"ticket_id": " 1001"},
    ],
)
async def test_delivery_without_a_ticket_is_kept_for_operators(
    client: httpx.AsyncClient, inbox: FakeInbox, document: dict[str, object]
) -> None:
    body = json.dumps(document).encode()

    answer = await client.post(PATH, content=body, headers=signed(body))

    assert answer.status_code == HTTPStatus.ACCEPTED
    [arrival] = inbox.arrivals
    assert arrival.route is None


async def test_number_and_text_name_the_same_ticket(client: httpx.AsyncClient, inbox: FakeInbox) -> None:
    for id_, body in (("a", b'{"ticket_id": 1001}'), ("b", b'{"ticket_id": "1001"}')):
        await client.post(PATH, content=body, headers=signed(body, id_=id_))

    assert len({arrival.route for arrival in inbox.arrivals}) == 1


@pytest.mark.parametrize("size", [1_000_001, 3_000_000])
async def test_body_above_the_cap_is_too_large(
    client: httpx.AsyncClient, inbox: FakeInbox, size: int
) -> None:
    body = b" " * size

    answer = await client.post(PATH, content=body, headers=signed(body))

    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert answer.headers["content-type"] == "application/problem+json"
    assert not inbox.rows


async def test_body_at_the_cap_is_taken(client: httpx.AsyncClient) -> None:
    body = BODY + b" " * (1_000_000 - len(BODY))

    answer = await client.post(PATH, content=body, headers=signed(body))

    assert answer.status_code == HTTPStatus.ACCEPTED


async def test_database_away_asks_to_send_again(client: httpx.AsyncClient, inbox: FakeInbox) -> None:
    inbox.failure = OperationalError("insert", {}, Exception("away"))

    answer = await client.post(PATH, content=BODY, headers=signed())

    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.headers["retry-after"] == "5"
    assert "insert" not in answer.text


async def test_mistake_of_ours_shows_nothing_of_our_insides(
    client: httpx.AsyncClient, inbox: FakeInbox
) -> None:
    inbox.failure = ValueError("row of carla@example.test")

    with capture_logs() as lines:
        answer = await client.post(PATH, content=BODY, headers=signed())

    assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert answer.headers["content-type"] == "application/problem+json"
    assert "carla" not in answer.text + repr(lines)
    assert "request_failed" in repr(lines)


async def test_log_lines_hold_no_slug_and_no_query(client: httpx.AsyncClient) -> None:
    with capture_logs() as lines:
        await client.post(f"{PATH}?token=secret-in-query", content=BODY, headers=signed())

    written = repr(lines)
    assert "request_answered" in written
    assert "slug-of-harbour" not in written
    assert "secret-in-query" not in written
