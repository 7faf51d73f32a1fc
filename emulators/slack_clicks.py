"""A person's click on its way to the app: `block_actions`, signed with Slack's v0 scheme, due in 3 s."""

import asyncio
import hashlib
import hmac
import json
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from emulators.problems import Refused
from emulators.setup import SlackChannel, SlackInstallation, SlackUser
from emulators.world import World

Json = dict[str, Any]
PATIENCE_S = 3.0


@dataclass(frozen=True)
class Click:
    """Who clicked which button, and what the message's inputs held by block id and action id."""

    user: str
    channel: str
    ts: str
    action_id: str
    block_id: str | None = None
    inputs: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Delivered:
    """How the app answered; a status of None means not in time or not at all."""

    status: int | None
    took_ms: int

    @property
    def ok(self) -> bool:
        return self.status == 200


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's signature: https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    basis = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), basis, hashlib.sha256).hexdigest()


async def deliver(world: World, click: Click, base_url: str) -> Delivered:
    """Sends the click once, to the app of the channel's team: Slack does not repeat interactions."""
    app = world.register.slack.of_channel(click.channel)
    payload = block_actions(world, app, click, base_url)
    body = urlencode({"payload": json.dumps(payload)}).encode()
    timestamp = str(int(world.clock()))
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": sign(app.signing_secret, timestamp, body),
    }
    started = world.clock()
    status = await _post(world.http, app.request_url, body, headers)
    return Delivered(status, round((world.clock() - started) * 1000))


def block_actions(world: World, app: SlackInstallation, click: Click, base_url: str) -> Json:
    """The payload: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload"""
    row, user, channel = _clicked(world, app, click)
    message = world.slack.message(row)
    action = _action(message["blocks"], click)
    token = world.slack.response_token(click.channel, click.ts, click.user)
    return {
        "type": "block_actions",
        "user": _user_json(user, app),
        "api_app_id": app.app_id,
        "token": "emulated-verification-token",
        "container": _container(row),
        "trigger_id": f"{secrets.randbelow(10**9)}.{secrets.randbelow(10**9)}.{secrets.token_hex(16)}",
        "team": {"id": app.team_id, "domain": app.team_domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": channel.name},
        "message": message,
        "state": {"values": _state(message["blocks"], click.inputs)},
        "response_url": f"{base_url}/slack/actions/{app.team_id}/{token}",
        "actions": [{**action, "action_ts": world.slack.next_ts()}],
    }


def _clicked(
    world: World, app: SlackInstallation, click: Click
) -> tuple[sqlite3.Row, SlackUser, SlackChannel]:
    row = world.slack.row(click.channel, click.ts)
    user = next((user for user in world.register.slack.users(app.team_id) if user.id == click.user), None)
    channel = next(
        (channel for channel in world.register.slack.channels(app.team_id) if channel.id == click.channel),
        None,
    )
    if row is None or user is None or channel is None:
        raise Refused(404, "unknown_message", "There is no such message, channel or user")
    return row, user, channel


def _container(row: sqlite3.Row) -> Json:
    container = {
        "type": "message",
        "message_ts": row["ts"],
        "channel_id": row["channel"],
        "is_ephemeral": row["ephemeral_to"] is not None,
    }
    return {**container, "thread_ts": row["thread_ts"]} if row["thread_ts"] else container


def buttons(blocks: list[Json]) -> list[Json]:
    """All buttons of a message, each with the block it stands in."""
    return [
        {**element, "block_id": block["block_id"]}
        for block in blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def _action(blocks: list[Json], click: Click) -> Json:
    for button in buttons(blocks):
        if button["action_id"] == click.action_id and click.block_id in {None, button["block_id"]}:
            names = ("action_id", "block_id", "text", "value", "style", "type")
            return {name: button[name] for name in names if name in button}
    raise Refused(409, "no_such_button", "The message does not have this button (any more)")


def _state(blocks: list[Json], inputs: tuple[tuple[str, str, str], ...]) -> Json:
    given = {(block_id, action_id): value for block_id, action_id, value in inputs}
    values: Json = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            written = given.get((block["block_id"], element["action_id"])) or None
            values[block["block_id"]] = {element["action_id"]: {"type": element["type"], "value": written}}
    return values


def _user_json(user: SlackUser, app: SlackInstallation) -> Json:
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id or app.team_id}


async def _post(http: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]) -> int | None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await http.post(url, content=body, headers=headers, timeout=PATIENCE_S)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
        return None  # shown to the person who clicked; an interaction is never sent twice
    return answer.status_code
