"""Clicks: real forms, signed as Slack signs, sent once, with what the person saw and wrote."""

import asyncio
import html
import json
import re
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.serving import SIGNING_SECRET, Arrived, Receiver, Town, card

CONFIRM = {
    "title": {"type": "plain_text", "text": "Sure?"},
    "text": {"type": "mrkdwn", "text": "It is *money*."},
    "confirm": {"type": "plain_text", "text": "Yes"},
    "deny": {"type": "plain_text", "text": "No"},
}


def _payload(arrived: Arrived) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(parse_qs(arrived.body.decode())["payload"][0])
    return payload


def _form(page: str) -> dict[str, str]:
    """The fields of the page's last form with its first button pressed, as a browser would send them."""
    form = re.findall(r"<form[^>]*>.*?</form>", page, re.DOTALL)[-1]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    button = re.search(r"<button name=\"(\w+)\" value='([^']*)'", form) or re.search(
        r'<button[^>]*name="(\w+)" value="([^"]*)"', form
    )
    assert button
    fields[button[1]] = button[2]
    return {html.unescape(name): html.unescape(value) for name, value in fields.items()}


async def _press(browser: httpx.AsyncClient, ts: str, **changes: str) -> httpx.Response:
    page = (await browser.get("/slack/channels/C0HARBOUR")).text
    form = {**_form(page), 'input["reason", "approval-reason"]': "Gift", **changes}
    return await browser.post(f"/slack/channels/C0HARBOUR/messages/{ts}/click", data=form)


async def _post(slack: AsyncWebClient, blocks: list[dict[str, Any]] | None = None) -> str:
    posted = await slack.chat_postMessage(channel="C0HARBOUR", text="A refund", blocks=blocks or card())
    ts: str = posted["ts"]
    return ts


async def test_pressing_approve_sends_a_signed_click_with_the_reason(
    town: Town, slack: AsyncWebClient, receiver: Receiver
) -> None:
    ts = await _post(slack)

    async with town.browser() as browser:
        answer = await _press(browser, ts)

    arrived = await receiver.next()
    payload = _payload(arrived)
    assert SignatureVerifier(SIGNING_SECRET).is_valid_request(arrived.body, arrived.headers)
    assert not SignatureVerifier("another").is_valid_request(arrived.body, arrived.headers)
    assert answer.headers["location"] == f"/slack/channels/C0HARBOUR?outcome=sent#m-{ts}"
    assert payload["type"] == "block_actions"
    assert payload["actions"][0]["action_id"] == "approval-approve"
    assert json.loads(payload["actions"][0]["value"]) == {"a": "apr_1", "r": 1}
    assert payload["user"] == {"id": "U0MARTA", "username": "marta", "name": "marta", "team_id": "T0HARBOUR"}
    assert payload["team"] == {"id": "T0HARBOUR", "domain": "harbour"}
    assert payload["container"]["message_ts"] == ts
    assert payload["message"]["ts"] == ts
    assert payload["state"]["values"] == {
        "reason": {"approval-reason": {"type": "plain_text_input", "value": "Gift"}}
    }


async def test_empty_reason_is_null(town: Town, slack: AsyncWebClient, receiver: Receiver) -> None:
    ts = await _post(slack)

    async with town.browser() as browser:
        await _press(browser, ts, **{'input["reason", "approval-reason"]': ""})

    values = _payload(await receiver.next())["state"]["values"]
    assert values["reason"]["approval-reason"]["value"] is None


async def test_acting_as_somebody_else_clicks_as_them(
    town: Town, slack: AsyncWebClient, receiver: Receiver
) -> None:
    ts = await _post(slack)

    async with town.browser() as browser:
        await browser.post("/slack/act-as", data={"user": "U0JON", "channel": "C0HARBOUR"})
        await _press(browser, ts)

    assert _payload(await receiver.next())["user"]["id"] == "U0JON"


async def test_button_with_confirm_asks_first(town: Town, slack: AsyncWebClient, receiver: Receiver) -> None:
    blocks = card()
    blocks[2]["elements"][0]["confirm"] = CONFIRM
    ts = await _post(slack, blocks)

    async with town.browser() as browser:
        asked = await _press(browser, ts)
        assert receiver.arrived.empty()
        await browser.post(f"/slack/channels/C0HARBOUR/messages/{ts}/click", data=_form(asked.text))

    values = _payload(await receiver.next())["state"]["values"]
    assert "It is <strong>money</strong>." in asked.text
    assert "As Marta Lind in #harbour-approvals." in asked.text
    assert ">Refresh<" not in asked.text
    assert values["reason"]["approval-reason"]["value"] == "Gift"


async def test_card_that_changed_since_it_was_seen_is_not_clicked(
    town: Town, slack: AsyncWebClient, receiver: Receiver
) -> None:
    ts = await _post(slack)
    async with town.browser() as browser:
        form = _form((await browser.get("/slack/channels/C0HARBOUR")).text)
        await slack.chat_update(channel="C0HARBOUR", ts=ts, text="Revised", blocks=card(revision=2))

        answer = await browser.post(f"/slack/channels/C0HARBOUR/messages/{ts}/click", data=form)
        page = await browser.get(answer.headers["location"])

    assert "banner-changed" in page.text
    assert receiver.arrived.empty()


@pytest.mark.parametrize("status", [404, 500, 302])
async def test_error_of_the_app_is_shown_and_not_repeated(
    town: Town, slack: AsyncWebClient, receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status]
    ts = await _post(slack)

    async with town.browser() as browser:
        answer = await _press(browser, ts)
        page = await browser.get(answer.headers["location"])

    await receiver.next()
    assert "banner-trouble" in page.text
    assert receiver.arrived.empty()


async def test_silence_of_the_app_is_shown(town: Town, slack: AsyncWebClient) -> None:
    ts = await _post(slack)
    async with town.control() as control:
        silent = {
            "team_id": "T0HARBOUR",
            "team_domain": "harbour",
            "bot_token": "xoxb-harbour",
            "signing_secret": "s",
            "request_url": "http://127.0.0.1:9/slack/events",
        }
        await control.post("/seed", json={"slack": silent})

    async with town.browser() as browser:
        answer = await _press(browser, ts)

    assert "outcome=silent" in answer.headers["location"]


async def test_form_of_another_site_is_refused(town: Town, slack: AsyncWebClient, receiver: Receiver) -> None:
    ts = await _post(slack)

    async with town.browser() as browser:
        browser.headers["sec-fetch-site"] = "cross-site"
        answer = await _press(browser, ts)

    assert answer.status_code == 403
    assert receiver.arrived.empty()


async def test_control_door_clicks_by_approval(town: Town, slack: AsyncWebClient, receiver: Receiver) -> None:
    ts = await _post(slack)
    click = {"user": "U0JON", "approval": "apr_1", "action_id": "approval-reject", "reason": "Too late"}

    async with town.control() as control:
        answer = await control.post("/slack/click", json=click)

    payload = _payload(await receiver.next())
    assert answer.json()["message_ts"] == ts
    assert (answer.json()["ok"], answer.json()["status"]) == (True, 200)
    assert payload["actions"][0]["action_id"] == "approval-reject"
    assert payload["state"]["values"]["reason"]["approval-reason"]["value"] == "Too late"


async def test_control_door_waits_for_the_card_of_an_approval(
    town: Town, slack: AsyncWebClient, receiver: Receiver
) -> None:
    click = {"user": "U0JON", "approval": "apr_1", "action_id": "approval-approve"}

    async with town.control() as control:
        ordered = asyncio.create_task(control.post("/slack/click", json=click))
        await control.get("/state")
        ts = await _post(slack)
        answer = await ordered

    await receiver.next()
    assert (answer.status_code, answer.json()["message_ts"]) == (200, ts)


async def test_control_door_waits_no_longer_than_it_is_told(town: Town, slack: AsyncWebClient) -> None:
    await _post(slack)
    click = {"user": "U0JON", "approval": "apr_2", "action_id": "approval-approve", "within_s": 0.01}

    async with town.control() as control:
        answer = await control.post("/slack/click", json=click)

    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_button")


async def test_control_door_finds_no_button_on_a_closed_card(town: Town, slack: AsyncWebClient) -> None:
    ts = await _post(slack)
    await slack.chat_update(channel="C0HARBOUR", ts=ts, text="Closed", blocks=card()[:1])

    async with town.control() as control:
        answer = await control.post(
            "/slack/click", json={"user": "U0JON", "ts": ts, "action_id": "approval-approve"}
        )

    assert answer.status_code == 404


async def test_response_url_answers_five_times(town: Town, slack: AsyncWebClient, receiver: Receiver) -> None:
    ts = await _post(slack)
    async with town.browser() as browser:
        await _press(browser, ts)
        url = _payload(await receiver.next())["response_url"]

        answers = [(await browser.post(url, json={"text": "Only you"})).status_code for _ in range(6)]

    history = await slack.conversations_history(channel="C0HARBOUR")
    assert answers == [200] * 5 + [404]
    assert len(history["messages"]) == 1
