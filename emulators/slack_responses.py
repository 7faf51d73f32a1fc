"""The response URL of a click: five answers within half an hour, then it is gone."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from emulators.slack_blocks import faults_of
from emulators.slack_book import Post
from emulators.world import TheWorld

router = APIRouter(prefix="/slack/actions")


@router.post("/{team_id}/{token}")
async def answer(team_id: str, token: str, request: Request, world: TheWorld) -> JSONResponse:
    try:
        body: Any = await request.json()
    except ValueError:
        return _refused(400, "invalid_payload")
    if not isinstance(body, dict) or (body.get("blocks") and faults_of(body["blocks"])):
        return _refused(400, "invalid_payload")
    click = world.slack.use_response_token(token)
    if click is None or world.register.slack.of_channel(click["channel"]).team_id != team_id:
        return _refused(404, "expired_url")
    if body.get("delete_original"):
        world.slack.delete(click["channel"], click["ts"])
    elif body.get("replace_original"):
        content = {name: body[name] for name in ("text", "blocks") if name in body}
        world.slack.update(click["channel"], click["ts"], content)
    else:
        _add(world, click, body)
    return JSONResponse({"ok": True})


def _add(world: TheWorld, click: Any, body: dict[str, Any]) -> None:
    everybody = body.get("response_type") == "in_channel"
    world.slack.post(
        Post(
            click["channel"],
            text=str(body.get("text", "")),
            blocks=body.get("blocks") or [],
            thread_ts=body.get("thread_ts"),
            ephemeral_to=None if everybody else click["user"],
        )
    )


def _refused(status: int, code: str) -> JSONResponse:
    return JSONResponse({"ok": False, "error": code}, status_code=status)
