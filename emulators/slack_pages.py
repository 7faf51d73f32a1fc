"""The local Slack's pages: teams, channels, cards, and buttons that are real forms."""

import json
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from starlette.datastructures import FormData

from emulators import mrkdwn
from emulators.pages import Json, OwnFormsOnly, back_to, page, waiting, waiting_by_channel
from emulators.problems import Refused
from emulators.setup import SlackChannel, SlackInstallation, SlackUser
from emulators.slack_clicks import Click, Delivered, buttons, deliver
from emulators.world import TheWorld, World

MOST_SHOWN = 60
router = APIRouter(prefix="/slack")


@dataclass(frozen=True)
class Shown:
    """One message with everything a page needs of it."""

    message: Json
    waiting: bool
    ephemeral: bool
    replies: tuple["Shown", ...] = ()


@router.get("")
async def first_channel(world: TheWorld) -> RedirectResponse:
    """Opens where somebody is waited for, whichever team it is."""
    teams = world.register.slack.all()
    return _open(
        world, [channel for team in teams for channel in world.register.slack.channels(team.team_id)]
    )


@router.get("/teams/{team_id}")
async def first_channel_of_team(team_id: str, world: TheWorld) -> RedirectResponse:
    """The same within one team."""
    return _open(world, world.register.slack.channels(team_id))


def _open(world: World, channels: list[SlackChannel]) -> RedirectResponse:
    if not channels:
        raise Refused(404, "no_channel", "No Slack channel is set up")
    counts = waiting_by_channel(world)
    channel = max(channels, key=lambda channel: counts.get(channel.id, 0)).id
    asking = [message for message in world.slack.with_buttons() if message["channel"] == channel]
    first = next((message["ts"] for message in asking if waiting(message)), None)
    return back_to(f"/slack/channels/{channel}" + (f"#m-{first}" if first else ""))


@router.get("/channels/{channel_id}")
async def channel_page(channel_id: str, request: Request, world: TheWorld) -> HTMLResponse:
    team, channel = _place_of(world, channel_id)
    me, names = _me(world, team, request), _names(world, team)
    counts = waiting_by_channel(world)
    shown = _shown(world, channel.id, me.id)
    recent = shown if "all" in request.query_params else _recent(shown)
    return page(
        request,
        "channel.html",
        app=team,
        teams=_teams(world, counts),
        me=me,
        users=world.register.slack.people(team.team_id),
        channel=channel,
        channels=world.register.slack.channels(team.team_id),
        counts=counts,
        shown=recent,
        left_out=len(shown) - len(recent),
        waiting=sum(item.waiting for item in shown),
        first_waiting=next((item.message["ts"] for item in shown if item.waiting), None),
        outcome=request.query_params.get("outcome"),
        text=lambda block: _text(block, names),
    )


@router.post("/act-as", dependencies=[OwnFormsOnly])
async def act_as(
    world: TheWorld, user: Annotated[str, Form()], channel: Annotated[str, Form()]
) -> RedirectResponse:
    team, place = _place_of(world, channel)
    answer = back_to(f"/slack/channels/{place.id}")
    answer.set_cookie(_cookie(team), _person(world, team, user).id, httponly=True, samesite="strict")
    return answer


@router.post("/channels/{channel_id}/messages/{ts}/click", dependencies=[OwnFormsOnly], response_model=None)
async def press(
    channel_id: str, ts: str, request: Request, world: TheWorld
) -> RedirectResponse | HTMLResponse:
    """Sends a click to the app, after a page that asks again where the button wants that."""
    form = await request.form()
    team, channel = _place_of(world, channel_id)
    pressed = _pressed(world, channel.id, ts, form)
    if pressed is None:
        return back_to(f"/slack/channels/{channel.id}?outcome=changed#m-{ts}")
    me = _person(world, team, str(form["user"])) if "user" in form else _me(world, team, request)
    if pressed.get("confirm") and "confirmed" not in form:
        names = _names(world, team)
        return page(
            request,
            "confirm.html",
            me=me,
            channel=channel,
            ts=ts,
            button=pressed,
            hidden=[(name, str(value)) for name, value in form.multi_items()],
            text=lambda text: _text(text, names),
        )
    click = Click(me.id, channel.id, ts, pressed["action_id"], pressed["block_id"], _inputs(form))
    delivered = await deliver(world, click, str(request.base_url).rstrip("/"))
    return back_to(f"/slack/channels/{channel.id}?outcome={_outcome(delivered)}#m-{ts}")


def _outcome(delivered: Delivered) -> str:
    if delivered.ok:
        return "sent"
    return "silent" if delivered.status is None else "refused"


def _inputs(form: FormData) -> tuple[tuple[str, str, str], ...]:
    found = []
    for name, value in form.multi_items():
        place = _place(name.removeprefix("input")) if name.startswith("input[") else None
        if place:
            found.append((*place, str(value).replace("\r\n", "\n")))
    return tuple(found)


def _pressed(world: World, channel: str, ts: str, form: FormData) -> Json | None:
    """The button, unless the message is not the one this person saw."""
    row, place = world.slack.row(channel, ts), _place(str(form.get("press", "")))
    if row is None or str(form.get("seen", "")) != (row["edited_ts"] or ""):
        return None
    found = buttons(world.slack.message(row)["blocks"])
    return next((button for button in found if (button["block_id"], button["action_id"]) == place), None)


def _place(text: str) -> tuple[str, str] | None:
    """Block id and action id, which travel through forms as JSON."""
    try:
        match json.loads(text):
            case [str(block_id), str(action_id)]:
                return block_id, action_id
    except ValueError:
        return None  # a form that is not ours: no button is found
    return None


def _shown(world: World, channel: str, user: str) -> list[Shown]:
    """Messages in order, each parent with its thread below it."""
    rows = world.slack.visible_to(channel, user)
    here = {row["ts"] for row in rows}
    threads: dict[str, list[Shown]] = {}
    top: list[str] = []
    items: dict[str, Shown] = {}
    for row in rows:
        message = {**world.slack.message(row), "ephemeral_to": row["ephemeral_to"]}
        item = Shown(message, waiting(message), ephemeral=row["ephemeral_to"] is not None)
        if row["thread_ts"] in here and row["thread_ts"] != row["ts"]:
            threads.setdefault(row["thread_ts"], []).append(item)
        else:
            top.append(row["ts"])
            items[row["ts"]] = item
    return [
        Shown(items[ts].message, items[ts].waiting, items[ts].ephemeral, tuple(threads.get(ts, ())))
        for ts in top
    ]


def _recent(shown: list[Shown]) -> list[Shown]:
    """The newest, and whatever still waits however old it is."""
    older = [item for item in shown[:-MOST_SHOWN] if item.waiting]
    return older + shown[-MOST_SHOWN:]


def _text(text: Json | str, names: dict[str, str]) -> Markup:
    if isinstance(text, str):
        return mrkdwn.render(text, names)
    return mrkdwn.render(text["text"], names) if text["type"] == "mrkdwn" else mrkdwn.plain(text["text"])


def _names(world: World, team: SlackInstallation) -> dict[str, str]:
    users = {user.id: user.real_name or user.name for user in world.register.slack.users(team.team_id)}
    return users | {channel.id: channel.name for channel in world.register.slack.channels(team.team_id)}


def _teams(world: World, counts: dict[str, int]) -> list[Json]:
    """All teams for the switcher, each with how much waits there."""
    return [
        {
            "team": team,
            "waiting": sum(
                counts.get(channel.id, 0) for channel in world.register.slack.channels(team.team_id)
            ),
        }
        for team in world.register.slack.all()
    ]


def _cookie(team: SlackInstallation) -> str:
    """Each team remembers whom one acts as there."""
    return f"emulated_slack_user_{team.team_id}"


def _me(world: World, team: SlackInstallation, request: Request) -> SlackUser:
    """Whom this browser acts as; the team's first person where it never chose."""
    people = world.register.slack.people(team.team_id)
    if not people:
        raise Refused(404, "no_user", "No Slack user is set up")
    chosen = request.cookies.get(_cookie(team))
    return next((user for user in people if user.id == chosen), people[0])


def _person(world: World, team: SlackInstallation, user_id: str) -> SlackUser:
    for user in world.register.slack.people(team.team_id):
        if user.id == user_id:
            return user
    raise Refused(404, "unknown_user", "There is no such person in this team")


def _place_of(world: World, channel_id: str) -> tuple[SlackInstallation, SlackChannel]:
    team = world.register.slack.of_channel(channel_id)
    channels = world.register.slack.channels(team.team_id)
    return team, next(channel for channel in channels if channel.id == channel_id)
