"""Two teams in the local Slack: each token, channel, person, secret and address is its team's own."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import pytest_asyncio
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from emulators.app import create_app
from tests.emulators.serving import (
    ALPINE_SECRET,
    SIGNING_SECRET,
    Arrived,
    Receiver,
    Town,
    alpine_slack,
    card,
    serve,
)


@pytest_asyncio.fixture
async def alpine(town: Town, app_url: str) -> AsyncIterator[AsyncWebClient]:
    """The bot of the team that was seeded second."""
    async with town.control() as control:
        (await control.post("/seed", json={"slack": alpine_slack(app_url)})).raise_for_status()
    yield AsyncWebClient(token="xoxb-alpine", base_url=f"{town.url}/slack/api/")


def _payload(arrived: Arrived) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(parse_qs(arrived.body.decode())["payload"][0])
    return payload


async def test_each_token_is_its_own_team(slack: AsyncWebClient, alpine: AsyncWebClient) -> None:
    teams = [(await bot.auth_test())["team_id"] for bot in (slack, alpine)]

    assert teams == ["T0HARBOUR", "T0ALPINE"]


async def test_both_teams_post_and_read_their_own(slack: AsyncWebClient, alpine: AsyncWebClient) -> None:
    await slack.chat_postMessage(channel="C0HARBOUR", text="Books")
    await alpine.chat_postMessage(channel="C0GEAR", text="Ropes")

    books = (await slack.conversations_history(channel="C0HARBOUR"))["messages"]
    ropes = (await alpine.conversations_history(channel="C0GEAR"))["messages"]
    assert [(m["text"], m["team"]) for m in books + ropes] == [
        ("Books", "T0HARBOUR"),
        ("Ropes", "T0ALPINE"),
    ]


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("chat.postMessage", {"channel": "C0HARBOUR", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "#harbour-approvals", "text": "x"}, "channel_not_found"),
        ("chat.update", {"channel": "C0HARBOUR", "ts": "1.2", "text": "x"}, "channel_not_found"),
        ("chat.postEphemeral", {"channel": "C0GEAR", "user": "U0JON", "text": "x"}, "user_not_in_channel"),
        ("conversations.history", {"channel": "C0HARBOUR"}, "channel_not_found"),
        ("conversations.replies", {"channel": "C0HARBOUR", "ts": "1.2"}, "channel_not_found"),
        ("conversations.info", {"channel": "C0HARBOUR"}, "channel_not_found"),
        ("users.info", {"user": "U0JON"}, "user_not_found"),
    ],
)
async def test_nothing_of_another_team_is_reached(
    alpine: AsyncWebClient, method: str, arguments: dict[str, object], code: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        await alpine.api_call(method, json=arguments)

    assert refused.value.response["error"] == code


async def test_channels_of_another_team_are_not_listed(alpine: AsyncWebClient) -> None:
    listed = await alpine.conversations_list()

    assert [channel["id"] for channel in listed["channels"]] == ["C0GEAR"]


@pytest.mark.parametrize(
    ("channel", "user", "team", "secret", "path"),
    [
        ("C0GEAR", "U0SELMA", "T0ALPINE", ALPINE_SECRET, "/alpine/events"),
        ("C0HARBOUR", "U0JON", "T0HARBOUR", SIGNING_SECRET, "/slack/events"),
    ],
)
async def test_click_is_signed_and_sent_as_the_messages_team(  # noqa: PLR0917 - fixtures and one case
    town: Town,
    slack: AsyncWebClient,
    alpine: AsyncWebClient,
    receiver: Receiver,
    channel: str,
    user: str,
    team: str,
    secret: str,
    path: str,
) -> None:
    bot = alpine if team == "T0ALPINE" else slack
    posted = await bot.chat_postMessage(channel=channel, text="x", blocks=card())

    async with town.control() as control:
        order = {"user": user, "approval": "apr_1", "action_id": "approval-approve"}
        answer = (await control.post("/slack/click", json=order)).json()

    arrived = await receiver.next()
    payload = _payload(arrived)
    other = {ALPINE_SECRET, SIGNING_SECRET} - {secret}
    assert (answer["ok"], answer["message_ts"]) == (True, posted["ts"])
    assert arrived.path == path
    assert SignatureVerifier(secret).is_valid_request(arrived.body, arrived.headers)
    assert not SignatureVerifier(other.pop()).is_valid_request(arrived.body, arrived.headers)
    assert (payload["team"]["id"], payload["user"]["team_id"], payload["message"]["team"]) == (team,) * 3
    assert f"/slack/actions/{team}/" in payload["response_url"]


async def test_nobody_clicks_in_another_team(
    town: Town, slack: AsyncWebClient, alpine: AsyncWebClient, receiver: Receiver
) -> None:
    ts = (await alpine.chat_postMessage(channel="C0GEAR", text="x", blocks=card()))["ts"]
    form = {"user": "U0JON", "seen": "", "press": '["vote", "approval-approve"]'}

    async with town.control() as control, town.browser() as browser:
        order = {"user": "U0JON", "ts": ts, "action_id": "approval-approve"}
        by_control = await control.post("/slack/click", json=order)
        by_page = await browser.post(f"/slack/channels/C0GEAR/messages/{ts}/click", data=form)

    assert (by_control.status_code, by_page.status_code) == (404, 404)
    assert receiver.arrived.empty()


async def test_response_url_serves_its_own_team_only(
    town: Town, alpine: AsyncWebClient, receiver: Receiver
) -> None:
    ts = (await alpine.chat_postMessage(channel="C0GEAR", text="x", blocks=card()))["ts"]
    async with town.control() as control, town.browser() as browser:
        order = {"user": "U0SELMA", "ts": ts, "action_id": "approval-approve"}
        await control.post("/slack/click", json=order)
        url = _payload(await receiver.next())["response_url"]

        foreign = await browser.post(url.replace("T0ALPINE", "T0HARBOUR"), json={"text": "x"})
        own = await browser.post(url, json={"text": "x"})

    assert (foreign.status_code, own.status_code) == (404, 200)


async def test_pages_show_one_team_at_a_time_and_a_switcher(town: Town, alpine: AsyncWebClient) -> None:
    await alpine.chat_postMessage(channel="C0GEAR", text="x", blocks=card())

    async with town.browser() as browser:
        opened = await browser.get("/slack")
        gear = (await browser.get("/slack/channels/C0GEAR")).text
        switched = await browser.get("/slack/teams/T0HARBOUR")
        harbour = (await browser.get("/slack/channels/C0HARBOUR")).text

    assert opened.headers["location"].startswith("/slack/channels/C0GEAR#")
    assert switched.headers["location"] == "/slack/channels/C0HARBOUR"
    assert ("Selma Aydin" in gear, "Marta Lind" in gear, "harbour-approvals" in gear) == (True, False, False)
    assert ("Marta Lind" in harbour, "Selma Aydin" in harbour, "gear-desk" in harbour) == (True, False, False)
    for page in (gear, harbour):
        assert 'data-testid="workspace-T0HARBOUR"' in page
        assert 'data-testid="workspace-T0ALPINE"' in page


async def test_single_team_needs_no_switcher(town: Town) -> None:
    async with town.browser() as browser:
        page = await browser.get("/slack/channels/C0HARBOUR")

    assert "Workspaces" not in page.text


async def test_whom_one_acts_as_is_kept_for_each_team(town: Town, alpine: AsyncWebClient) -> None:
    await alpine.chat_postMessage(channel="C0GEAR", text="x")

    async with town.browser() as browser:
        await browser.post("/slack/act-as", data={"user": "U0JON", "channel": "C0HARBOUR"})
        await browser.post("/slack/act-as", data={"user": "U0SELMA", "channel": "C0GEAR"})
        harbour = (await browser.get("/slack/channels/C0HARBOUR")).text
        foreign = await browser.post("/slack/act-as", data={"user": "U0JON", "channel": "C0GEAR"})

    assert '<option value="U0JON" selected>' in harbour
    assert foreign.status_code == 404


async def test_token_of_another_team_is_refused(town: Town, alpine: AsyncWebClient, app_url: str) -> None:
    async with town.control() as control:
        taken = {**alpine_slack(app_url), "team_id": "T0THIRD"}
        answer = await control.post("/seed", json={"slack": taken})

    assert (answer.status_code, answer.json()["code"]) == (409, "token_of_another_team")
    assert (await alpine.auth_test())["team_id"] == "T0ALPINE"


async def test_changed_token_replaces_the_old_one_of_its_team(
    town: Town, slack: AsyncWebClient, alpine: AsyncWebClient, app_url: str
) -> None:
    async with town.control() as control:
        await control.post("/seed", json={"slack": {**alpine_slack(app_url), "bot_token": "xoxb-new"}})

    alpine_now = AsyncWebClient(token="xoxb-new", base_url=f"{town.url}/slack/api/")
    assert (await alpine_now.auth_test())["team_id"] == "T0ALPINE"
    assert (await slack.auth_test())["team_id"] == "T0HARBOUR"
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await alpine.auth_test()


async def test_state_of_one_team_only_is_still_read(tmp_path: Path) -> None:
    """Written by hand as it was stored before there were teams."""
    team = {key: value for key, value in alpine_slack("http://127.0.0.1:9").items() if key != "users"}
    channel = json.dumps(team.pop("channels")[0])
    with closing(sqlite3.connect(tmp_path / "emulators.sqlite3")) as old:
        for table in ("slack_users", "slack_channels"):
            old.execute(
                f"CREATE TABLE {table} (id TEXT PRIMARY KEY, position INTEGER NOT NULL, setup TEXT NOT NULL)"
            )
        old.execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        old.execute("INSERT INTO settings VALUES ('slack', ?)", (json.dumps(team),))
        old.execute("INSERT INTO slack_channels VALUES ('C0GEAR', 1, ?)", (channel,))
        old.commit()

    for _ in range(2):
        async with serve(create_app(tmp_path)) as url:
            bot = AsyncWebClient(token="xoxb-alpine", base_url=f"{url}/slack/api/")
            assert (await bot.chat_postMessage(channel="C0GEAR", text="x"))["message"]["team"] == "T0ALPINE"
