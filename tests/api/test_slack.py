"""Slack's door: only Slack's own requests, one row per click, acknowledged after the commit."""

import json
from http import HTTPStatus
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from adapters.postgres.inbox import InboxKind
from adapters.slack.clicks import Click
from api.slack_signature import signature
from domain.approval import VoteKind
from tests.api.fakes import NOW, SLACK_SECRET, TEAM, TENANT, FakeInbox

PATH = "/slack/events"
FORM = "application/x-www-form-urlencoded"
APPROVAL = "apr_" + "0" * 32
DIGEST = "sha256:" + "0" * 64


def click(**changes: object) -> dict[str, object]:
    """A press on Reject as Slack sends it."""
    value = json.dumps({"a": APPROVAL, "r": 1, "d": DIGEST})
    pressed = {
        "action_id": "approval-reject",
        "block_id": "approval:1",
        "text": {"type": "plain_text", "text": "Reject", "emoji": True},
        "value": value,
        "type": "button",
        "action_ts": "1795167000.123456",
    }
    payload: dict[str, object] = {
        "type": "block_actions",
        "user": {"id": "U2", "username": "bob", "name": "bob", "team_id": TEAM},
        "api_app_id": "A1",
        "token": "verif",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1", "is_ephemeral": False},
        "trigger_id": "12.34.abcdef",
        "team": {"id": TEAM, "domain": "lab"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": "C1", "name": "support"},
        "message": {"type": "message", "text": "what the customer wrote", "ts": "1.2"},
        "state": {
            "values": {"reason": {"approval-reason": {"type": "plain_text_input", "value": " Too late "}}}
        },
        "response_url": "http://127.0.0.1/actions/T1/1/xyz",
        "actions": [pressed],
    }
    return {**payload, **changes}


def form(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def signed(body: bytes, *, at: str = str(int(NOW)), content_type: str = FORM) -> dict[str, str]:
    return {
        "content-type": content_type,
        "x-slack-request-timestamp": at,
        "x-slack-signature": signature(SLACK_SECRET, at, body),
    }


async def send(client: httpx.AsyncClient, payload: object) -> httpx.Response:
    body = form(payload)
    return await client.post(PATH, content=body, headers=signed(body))


def test_signature_is_slacks_own() -> None:
    assert signature("sl-secret", "1795167000", b"payload=%7B%7D") == (
        "v0=fb8bee2f7ae88e4934767a8b86d270548a547a3ba58c3459a7346d2f2b6662fa"
    )


async def test_click_is_committed_and_acknowledged(client: httpx.AsyncClient, inbox: FakeInbox) -> None:
    answer = await send(client, click())

    assert (answer.status_code, answer.content) == (HTTPStatus.OK, b"")
    [arrival] = inbox.arrivals
    assert (arrival.tenant_id, arrival.kind) == (TENANT, InboxKind.SLACK)
    assert Click.model_validate_json(arrival.body) == Click(
        team_id=TEAM,
        user_id="U2",
        channel_id="C1",
        kind=VoteKind.REJECT,
        approval_id=APPROVAL,
        revision=1,
        digest=DIGEST,
        reason="Too late",
    )


async def test_message_that_was_clicked_on_is_not_kept(client: httpx.AsyncClient, inbox: FakeInbox) -> None:
    await send(client, click())

    [arrival] = inbox.arrivals
    assert b"what the customer wrote" not in arrival.body


async def test_three_identical_clicks_are_one_row(client: httpx.AsyncClient, inbox: FakeInbox) -> None:
    answers = [await send(client, click()) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(inbox.rows) == 1


async def test_another_persons_click_is_another_row(client: httpx.AsyncClient, inbox: FakeInbox) -> None:
    await send(client, click())
    await send(client, click(user={"id": "U3", "team_id": TEAM}))

    assert len(inbox.rows) == 2


async def test_guest_of_another_company_keeps_its_own_team(
    client: httpx.AsyncClient, inbox: FakeInbox
) -> None:
    await send(client, click(user={"id": "U9", "team_id": "T9"}))

    assert Click.model_validate_json(inbox.arrivals[0].body).team_id == "T9"


REFUSED = {
    "wrong signature": {"x-slack-signature": "v0=" + "0" * 64},
    "no signature": {"x-slack-signature": None},
    "no timestamp": {"x-slack-request-timestamp": None},
    "timestamp of letters": {"x-slack-request-timestamp": "abc"},
    "301 seconds old": {"x-slack-request-timestamp": str(int(NOW) - 301)},
    "301 seconds ahead": {"x-slack-request-timestamp": str(int(NOW) + 301)},
    "endless timestamp": {"x-slack-request-timestamp": "9" * 5000},
    "empty signature": {"x-slack-signature": ""},
    "signature in capitals": {"x-slack-signature": "V0=" + "A" * 64},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED.keys())
async def test_unproven_request_is_refused(
    client: httpx.AsyncClient, inbox: FakeInbox, changes: dict[str, str | None]
) -> None:
    body = form(click())
    changed = {**signed(body), **changes}

    answer = await client.post(
        PATH, content=body, headers={name: value for name, value in changed.items() if value is not None}
    )

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.headers["content-type"] == "application/problem+json"
    assert not inbox.rows


@pytest.mark.parametrize("at", [int(NOW) - 301, int(NOW) + 301])
async def test_rightly_signed_but_out_of_the_window_is_refused(client: httpx.AsyncClient, at: int) -> None:
    body = form(click())

    answer = await client.post(PATH, content=body, headers=signed(body, at=str(at)))

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("name", [b"x-slack-signature", b"x-slack-request-timestamp"])
async def test_header_outside_ascii_is_refused(client: httpx.AsyncClient, name: bytes) -> None:
    body = form(click())
    kept = [(key.encode(), text.encode()) for key, text in signed(body).items() if key.encode() != name]

    answer = await client.post(PATH, content=body, headers=[*kept, (name, b"v0=\xe9")])

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


async def test_doubled_signature_is_refused(client: httpx.AsyncClient) -> None:
    body = form(click())
    headers = [*signed(body).items(), ("x-slack-signature", signed(body)["x-slack-signature"])]

    answer = await client.post(PATH, content=body, headers=headers)

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


async def test_unknown_workspace_is_answered_and_counted(client: httpx.AsyncClient, inbox: FakeInbox) -> None:
    with capture_logs() as lines:
        answer = await send(client, click(team={"id": "T404"}))

    assert answer.status_code == HTTPStatus.OK
    assert not inbox.rows
    assert "slack_team_unknown" in repr(lines)


async def test_url_verification_is_answered(client: httpx.AsyncClient) -> None:
    body = b'{"type":"url_verification","challenge":"abc","token":"x"}'

    answer = await client.post(PATH, content=body, headers=signed(body, content_type="application/json"))

    assert answer.json() == {"challenge": "abc"}


async def test_ssl_check_is_answered(client: httpx.AsyncClient) -> None:
    body = b"ssl_check=1&token=x"

    answer = await client.post(PATH, content=body, headers=signed(body))

    assert answer.status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    "actions",
    [
        [{"action_id": "another-button", "action_ts": "1.1", "value": "x", "type": "button"}],
        [{"action_id": "approval-approve", "action_ts": "1.1", "value": "not json", "type": "button"}],
        [{"action_id": "approval-approve", "action_ts": "1.1", "value": '{"a":1}', "type": "button"}],
        [{"action_id": "approval-approve", "type": "users_select", "selected_user": "U1"}],
    ],
)
async def test_button_of_another_time_is_acknowledged_and_not_kept(
    client: httpx.AsyncClient, inbox: FakeInbox, actions: object
) -> None:
    answer = await send(client, click(actions=actions))

    assert answer.status_code == HTTPStatus.OK
    assert not inbox.rows


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"payload=%7B", FORM, 400),
        (b"payload=%5B%5D", FORM, 422),
        (b"\xff\xfe", FORM, 400),
        (b"[]", "application/json", 422),
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"a=1&" * 1000, FORM, 400),
        (b"", FORM, 404),
        (b"", "", 404),
        (b"hello", "text/plain", 404),
    ],
)
async def test_strange_body_is_a_problem_of_the_sender(
    client: httpx.AsyncClient, body: bytes, content_type: str, status: int
) -> None:
    answer = await client.post(PATH, content=body, headers=signed(body, content_type=content_type))

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_click_is_not_acknowledged_while_it_cannot_be_stored(
    client: httpx.AsyncClient, inbox: FakeInbox
) -> None:
    inbox.failure = OperationalError("insert", {}, Exception("away"))

    answer = await send(client, click())

    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE


async def test_mistake_of_ours_is_not_an_acknowledgement(client: httpx.AsyncClient, inbox: FakeInbox) -> None:
    inbox.failure = ValueError("row of carla@example.test")

    with capture_logs() as lines:
        answer = await send(client, click())

    assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "carla" not in answer.text + repr(lines)


async def test_bolt_logs_no_body(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    body = b'{"type":"event_callback","team_id":"T1","event":{"type":"app_mention","text":"of Carla"}}'

    answer = await client.post(PATH, content=body, headers=signed(body, content_type="application/json"))

    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "Carla" not in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"user": 5},
        {"team": "T1", "team_id": TEAM},
        {"actions": [None]},
        {"user": {"id": "\ud800", "team_id": TEAM}},
        {"team": {"id": "\ud800"}},
        {"container": {"message_ts": "\udfff", "channel_id": "C1"}},
        {"type": ["block_actions"]},
    ],
)
async def test_signed_nonsense_is_never_our_mistake(
    client: httpx.AsyncClient, inbox: FakeInbox, changes: dict[str, object]
) -> None:
    answer = await send(client, click(**changes))

    assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    assert inbox.arrivals == []


async def test_mistake_of_ours_is_not_blamed_on_slack(client: httpx.AsyncClient, inbox: FakeInbox) -> None:
    inbox.failure = TypeError("ours")

    assert (await send(client, click())).status_code == HTTPStatus.INTERNAL_SERVER_ERROR
