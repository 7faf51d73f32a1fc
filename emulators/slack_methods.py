"""The Web API methods and what each of them refuses."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from emulators.setup import SlackChannel, SlackInstallation, SlackUser
from emulators.slack_blocks import faults_of
from emulators.slack_book import Post
from emulators.world import World

Json = dict[str, Any]
LONGEST_TEXT = 40_000


class SlackRefused(Exception):
    """A call that is answered with `ok: false`."""

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


@dataclass(frozen=True)
class Method:
    """One Web API method and the scope it needs."""

    run: Callable[[World, SlackInstallation, Json], Json]
    scope: str | None


def auth_test(_world: World, app: SlackInstallation, _arguments: Json) -> Json:
    return {
        "url": f"https://{app.team_domain}.slack.com/",
        "team": app.team_domain,
        "user": app.bot_name.lower(),
        "team_id": app.team_id,
        "user_id": app.bot_user_id,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


def post_message(world: World, app: SlackInstallation, arguments: Json) -> Json:
    channel = _writable_channel(world, app, arguments)
    changes = _content(arguments)
    thread_ts = arguments.get("thread_ts") or None
    if thread_ts and world.slack.row(channel.id, str(thread_ts)) is None:
        raise SlackRefused("cannot_reply_to_message")
    ts = world.slack.post(
        Post(channel.id, **changes, thread_ts=thread_ts, broadcast=_truth(arguments.get("reply_broadcast")))
    )
    return {"channel": channel.id, "ts": ts, "message": _message(world, channel.id, ts)}


def update(world: World, app: SlackInstallation, arguments: Json) -> Json:
    channel = _writable_channel(world, app, arguments)
    ts = str(arguments.get("ts", ""))
    row = world.slack.row(channel.id, ts)
    if row is None or row["ephemeral_to"]:
        raise SlackRefused("message_not_found")
    world.slack.update(channel.id, ts, _content(arguments))
    message = _message(world, channel.id, ts)
    return {"channel": channel.id, "ts": ts, "text": message["text"], "message": message}


def post_ephemeral(world: World, app: SlackInstallation, arguments: Json) -> Json:
    channel = _writable_channel(world, app, arguments)
    user = _user(world, app, arguments.get("user"))
    if user is None or user.deleted:
        raise SlackRefused("user_not_in_channel")
    changes = _content(arguments)
    ts = world.slack.post(
        Post(channel.id, **changes, thread_ts=arguments.get("thread_ts") or None, ephemeral_to=user.id)
    )
    return {"message_ts": ts}


def history(world: World, app: SlackInstallation, arguments: Json) -> Json:
    channel = _channel(world, app, arguments)
    if not channel.is_member:
        raise SlackRefused("not_in_channel")
    rows = list(reversed(world.slack.history(channel.id)))
    return _page(world, arguments, rows)


def replies(world: World, app: SlackInstallation, arguments: Json) -> Json:
    channel = _channel(world, app, arguments)
    rows = world.slack.thread(channel.id, str(arguments.get("ts", "")))
    if not rows:
        raise SlackRefused("thread_not_found")
    return _page(world, arguments, rows)


def conversation_info(world: World, app: SlackInstallation, arguments: Json) -> Json:
    return {"channel": _channel_json(_channel(world, app, arguments))}


def conversation_list(world: World, app: SlackInstallation, _arguments: Json) -> Json:
    channels = [_channel_json(channel) for channel in world.register.slack.channels(app.team_id)]
    return {"channels": channels, "response_metadata": {"next_cursor": ""}}


def user_info(world: World, app: SlackInstallation, arguments: Json) -> Json:
    user = _user(world, app, arguments.get("user"))
    if user is None:
        raise SlackRefused("user_not_found")
    return {"user": _user_json(user, app.team_id)}


METHODS = {
    "auth.test": Method(auth_test, None),
    "chat.postMessage": Method(post_message, "chat:write"),
    "chat.update": Method(update, "chat:write"),
    "chat.postEphemeral": Method(post_ephemeral, "chat:write"),
    "conversations.history": Method(history, "channels:history"),
    "conversations.replies": Method(replies, "channels:history"),
    "conversations.info": Method(conversation_info, "channels:read"),
    "conversations.list": Method(conversation_list, "channels:read"),
    "users.info": Method(user_info, "users:read"),
}


def _content(arguments: Json) -> Json:
    content = {
        name: arguments[name] for name in ("text", "blocks", "metadata") if arguments.get(name) is not None
    }
    if not content.get("text") and not content.get("blocks"):
        raise SlackRefused("no_text")
    if len(str(content.get("text", ""))) > LONGEST_TEXT:
        raise SlackRefused("msg_too_long")
    if "blocks" in content and (found := faults_of(content["blocks"])):
        raise SlackRefused("invalid_blocks", errors=found, response_metadata={"messages": found})
    if content.get("metadata") and not _is_metadata(content["metadata"]):
        raise SlackRefused("invalid_metadata_format")
    return content


def _is_metadata(metadata: object) -> bool:
    return (
        isinstance(metadata, dict)
        and isinstance(metadata.get("event_type"), str)
        and isinstance(metadata.get("event_payload"), dict)
    )


def _writable_channel(world: World, app: SlackInstallation, arguments: Json) -> SlackChannel:
    channel = _channel(world, app, arguments)
    if channel.is_archived:
        raise SlackRefused("is_archived")
    if not channel.is_member:
        raise SlackRefused("not_in_channel")
    return channel


def _channel(world: World, app: SlackInstallation, arguments: Json) -> SlackChannel:
    wanted = str(arguments.get("channel", ""))
    for channel in world.register.slack.channels(app.team_id):
        if wanted in {channel.id, f"#{channel.name}", channel.name}:
            return channel
    return _refuse("channel_not_found")


def _user(world: World, app: SlackInstallation, wanted: object) -> SlackUser | None:
    return next((user for user in world.register.slack.users(app.team_id) if user.id == wanted), None)


def _message(world: World, channel: str, ts: str) -> Json:
    row = world.slack.row(channel, ts)
    return world.slack.message(row) if row else {}


def _page(world: World, arguments: Json, rows: list[Any]) -> Json:
    oldest, latest = str(arguments.get("oldest") or "0"), str(arguments.get("latest") or "9999999999.999999")
    inclusive = _truth(arguments.get("inclusive"))
    kept = [
        row for row in rows if oldest < row["ts"] < latest or (inclusive and row["ts"] in {oldest, latest})
    ]
    start, limit = _start(arguments.get("cursor")), _limit(arguments.get("limit"))
    more = len(kept) > start + limit
    with_metadata = _truth(arguments.get("include_all_metadata"))
    cursor = base64.b64encode(f"next:{start + limit}".encode()).decode() if more else ""
    messages = [world.slack.message(row, with_metadata=with_metadata) for row in kept[start : start + limit]]
    return {"messages": messages, "has_more": more, "response_metadata": {"next_cursor": cursor}}


def _start(cursor: object) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(str(cursor), validate=True).decode().removeprefix("next:"))
    except (binascii.Error, ValueError) as error:
        raise SlackRefused("invalid_cursor") from error


def _limit(limit: object) -> int:
    try:
        return min(999, max(1, int(str(limit or 100))))
    except ValueError as error:
        raise SlackRefused("invalid_limit") from error


def _truth(value: object) -> bool:
    return str(value).lower() in {"true", "1"}


def _channel_json(channel: SlackChannel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_private": False,
        "is_archived": channel.is_archived,
        "is_member": channel.is_member,
    }


def _user_json(user: SlackUser, team_id: str) -> Json:
    real_name = user.real_name or user.name
    return {
        "id": user.id,
        "team_id": user.team_id or team_id,
        "name": user.name,
        "real_name": real_name,
        "deleted": user.deleted,
        "is_bot": user.is_bot,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "tz": "Etc/UTC",
        "profile": {"real_name": real_name, "display_name": user.name},
    }


def _refuse(code: str) -> NoReturn:
    raise SlackRefused(code)
