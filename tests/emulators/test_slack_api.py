"""Slack's Web API through Slack's own client: posting, updating, reading, and every refusal."""

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.serving import Town, card

METADATA = {"event_type": "approval", "event_payload": {"effect": "eff_1"}}


async def test_bot_knows_itself(slack: AsyncWebClient) -> None:
    answer = await slack.auth_test()

    assert (answer["team_id"], answer["team"], answer["is_enterprise_install"]) == (
        "T0HARBOUR",
        "harbour",
        False,
    )


async def test_posted_card_is_found_with_its_metadata(slack: AsyncWebClient) -> None:
    posted = await slack.chat_postMessage(
        channel="#harbour-approvals", text="A refund", blocks=card(), metadata=METADATA
    )

    history = await slack.conversations_history(channel="C0HARBOUR", include_all_metadata=True)
    plain = await slack.conversations_history(channel="C0HARBOUR")
    assert posted["channel"] == "C0HARBOUR"
    assert [(m["ts"], m["metadata"]) for m in history["messages"]] == [(posted["ts"], METADATA)]
    assert "metadata" not in plain["messages"][0]


async def test_time_stamps_rise(slack: AsyncWebClient) -> None:
    stamps = [(await slack.chat_postMessage(channel="C0HARBOUR", text="x"))["ts"] for _ in range(5)]

    assert stamps == sorted(set(stamps))
    assert all(len(ts.partition(".")[2]) == 6 for ts in stamps)


async def test_update_replaces_blocks_and_keeps_metadata(slack: AsyncWebClient) -> None:
    posted = await slack.chat_postMessage(channel="C0HARBOUR", text="Old", blocks=card(), metadata=METADATA)

    await slack.chat_update(channel="C0HARBOUR", ts=posted["ts"], text="Closed", blocks=card()[:1])

    history = await slack.conversations_history(channel="C0HARBOUR", include_all_metadata=True)
    message = history["messages"][0]
    assert (message["text"], len(message["blocks"]), message["metadata"]) == ("Closed", 1, METADATA)
    assert message["edited"]["user"] == "U0EMULATED"


async def test_thread_is_read_apart_from_the_channel(slack: AsyncWebClient) -> None:
    parent = (await slack.chat_postMessage(channel="C0HARBOUR", text="Parent"))["ts"]
    await slack.chat_postMessage(channel="C0HARBOUR", text="Answer", thread_ts=parent)

    history = await slack.conversations_history(channel="C0HARBOUR")
    thread = await slack.conversations_replies(channel="C0HARBOUR", ts=parent)

    assert [m["text"] for m in history["messages"]] == ["Parent"]
    assert [m["text"] for m in thread["messages"]] == ["Parent", "Answer"]


async def test_ephemeral_is_in_no_history(slack: AsyncWebClient) -> None:
    answer = await slack.chat_postEphemeral(channel="C0HARBOUR", user="U0MARTA", text="Only you")

    history = await slack.conversations_history(channel="C0HARBOUR")
    assert answer["message_ts"]
    assert history["messages"] == []


async def test_history_comes_in_pages_newest_first(slack: AsyncWebClient) -> None:
    for number in range(5):
        await slack.chat_postMessage(channel="C0HARBOUR", text=str(number))

    first = await slack.conversations_history(channel="C0HARBOUR", limit=3)
    cursor = first["response_metadata"]["next_cursor"]
    second = await slack.conversations_history(channel="C0HARBOUR", limit=3, cursor=cursor)

    assert [m["text"] for m in first["messages"]] == ["4", "3", "2"]
    assert [m["text"] for m in second["messages"]] == ["1", "0"]
    assert (first["has_more"], second["has_more"]) == (True, False)


async def test_channel_and_user_are_described(slack: AsyncWebClient) -> None:
    channel = await slack.conversations_info(channel="C0HARBOUR")
    user = await slack.users_info(user="U0JON")

    assert channel["channel"]["name"] == "harbour-approvals"
    assert (user["user"]["team_id"], user["user"]["is_restricted"]) == ("T0HARBOUR", False)


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("chat.postMessage", {"channel": "C0NONE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C0CLOSED", "text": "x"}, "is_archived"),
        ("chat.postMessage", {"channel": "C0OTHERS", "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"channel": "C0HARBOUR"}, "no_text"),
        ("chat.postMessage", {"channel": "C0HARBOUR", "text": "x" * 40_001}, "msg_too_long"),
        (
            "chat.postMessage",
            {"channel": "C0HARBOUR", "text": "x", "thread_ts": "1.2"},
            "cannot_reply_to_message",
        ),
        ("chat.postMessage", {"channel": "C0HARBOUR", "blocks": [{"type": "bogus"}]}, "invalid_blocks"),
        ("chat.postMessage", {"channel": "C0HARBOUR", "blocks": "{"}, "invalid_blocks_format"),
        (
            "chat.postMessage",
            {"channel": "C0HARBOUR", "text": "x", "metadata": {"a": 1}},
            "invalid_metadata_format",
        ),
        ("chat.update", {"channel": "C0HARBOUR", "ts": "1.2", "text": "x"}, "message_not_found"),
        (
            "chat.postEphemeral",
            {"channel": "C0HARBOUR", "user": "U0NONE", "text": "x"},
            "user_not_in_channel",
        ),
        ("conversations.replies", {"channel": "C0HARBOUR", "ts": "1.2"}, "thread_not_found"),
        ("conversations.history", {"channel": "C0HARBOUR", "cursor": "?"}, "invalid_cursor"),
        ("users.info", {"user": "U0NONE"}, "user_not_found"),
        ("chat.shout", {}, "unknown_method"),
    ],
)
async def test_refusals_have_slacks_words(
    slack: AsyncWebClient, method: str, arguments: dict[str, object], code: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        await slack.api_call(method, json=arguments)

    assert refused.value.response["error"] == code
    assert refused.value.response.status_code == 200


@pytest.mark.parametrize(("token", "code"), [("xoxb-wrong", "invalid_auth"), ("", "not_authed")])
async def test_token_is_checked(town: Town, token: str, code: str) -> None:
    async with httpx.AsyncClient(base_url=town.url, trust_env=False) as client:
        answer = await client.post("/slack/api/auth.test", data={"token": token})

    assert answer.json() == {"ok": False, "error": code}


async def test_form_with_token_and_json_text_is_accepted(town: Town) -> None:
    form = {"token": "xoxb-harbour", "channel": "C0HARBOUR", "blocks": '[{"type": "divider"}]', "text": "x"}

    async with httpx.AsyncClient(base_url=town.url, trust_env=False) as client:
        answer = await client.post("/slack/api/chat.postMessage", data=form)

    assert answer.json()["message"]["blocks"][0]["type"] == "divider"


async def test_missing_scope_names_what_is_needed(town: Town, slack: AsyncWebClient) -> None:
    async with town.control() as control:
        slack_setup = {
            "team_id": "T0HARBOUR",
            "team_domain": "harbour",
            "bot_token": "xoxb-harbour",
            "signing_secret": "s",
            "request_url": town.url,
            "scopes": ["users:read"],
        }
        await control.post("/seed", json={"slack": slack_setup})

    with pytest.raises(SlackApiError) as refused:
        await slack.chat_postMessage(channel="C0HARBOUR", text="x")

    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "chat:write"
