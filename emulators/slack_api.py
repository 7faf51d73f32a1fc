"""Slack's Web API, as far as posting, updating and reading need it. Refusals are 200 with `ok: false`."""

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from emulators.setup import SlackInstallation
from emulators.slack_methods import METHODS, SlackRefused
from emulators.world import TheWorld, World

Json = dict[str, Any]
STRUCTURES = frozenset({"blocks", "metadata", "attachments"})
router = APIRouter(prefix="/slack/api")


@router.api_route("/{method}", methods=["GET", "POST"])
async def call(method: str, request: Request, world: TheWorld) -> JSONResponse:
    try:
        arguments = await _arguments(request)
        app = _authenticate(world, request, arguments)
        answer = _perform(world, app, method, arguments)
    except SlackRefused as refusal:
        return JSONResponse({"ok": False, "error": refusal.code, **refusal.details})
    return JSONResponse({"ok": True, **answer}, headers={"x-oauth-scopes": ",".join(app.scopes)})


def _perform(world: World, app: SlackInstallation, method: str, arguments: Json) -> Json:
    known = METHODS.get(method)
    if known is None:
        raise SlackRefused("unknown_method", req_method=method)
    if known.scope and known.scope not in app.scopes:
        raise SlackRefused("missing_scope", needed=known.scope, provided=",".join(app.scopes))
    with world.database.transaction():
        return known.run(world, app, arguments)


def _authenticate(world: World, request: Request, arguments: Json) -> SlackInstallation:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else str(arguments.pop("token", ""))
    if not token:
        raise SlackRefused("not_authed")
    app = world.register.slack.with_token(token)
    if app is None:
        raise SlackRefused("invalid_auth")
    return app


async def _arguments(request: Request) -> Json:
    arguments: Json = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        body = _parsed(await request.body(), "invalid_json")
        if not isinstance(body, dict):
            raise SlackRefused("json_not_object")
        arguments |= body
    else:
        async with request.form() as form:
            arguments |= {name: value for name, value in form.items() if isinstance(value, str)}
    # slack_sdk and many apps send structures as JSON text inside form fields.
    for name in STRUCTURES & arguments.keys():
        if isinstance(arguments[name], str):
            arguments[name] = _parsed(arguments[name], f"invalid_{name}_format")
    return arguments


def _parsed(text: str | bytes, code: str) -> object:
    try:
        parsed: object = json.loads(text)
    except ValueError as error:
        raise SlackRefused(code) from error
    return parsed
