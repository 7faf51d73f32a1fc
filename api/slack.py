"""`POST /slack/events`: verify, commit the click to the inbox, acknowledge; Bolt speaks Slack's side of it.

A click is deduplicated by who clicked what where and when, since Bolt runs a listener again for each copy.
"""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from fastapi import APIRouter, Request, Response
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.helpdesks.inbound import Unproven
from adapters.postgres.inbox import Arrival, InboxKind
from adapters.slack.clicks import Click, click_key, click_of
from api.body import raw_body
from api.doors import Doors, Inbox
from api.problems import UNAVAILABLE, MalformedBody, NoSuchDoor, Problem, SignatureRefused, TryLater
from api.slack_signature import verify

log = structlog.get_logger("api.slack")

SOURCE = "slack"
# What Bolt raises while it looks into a payload of another shape. Our listener raises none of them.
BOLT_TRIPS = (AttributeError, KeyError, IndexError, TypeError, ValueError)


def slack_router(doors: Doors) -> APIRouter:
    """Slack's door. Without a signing secret there is none."""
    router = APIRouter(tags=["slack"])
    door = _SlackDoor(doors)

    @router.post(
        "/slack/events",
        responses={
            400: {"description": "Not Slack's format"},
            401: {"description": "The signature was refused"},
        },
    )
    async def receive_slack_request(request: Request) -> Response:
        """Take whatever Slack sends this app."""
        return await door.receive(request)

    return router


class _SlackDoor:
    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._bolt = _bolt_app(doors.inbox)

    async def receive(self, request: Request) -> Response:
        secret = self._doors.slack_signing_secret
        if secret is None:
            raise NoSuchDoor
        body = await raw_body(request)
        try:
            verify(request.headers, body, secret, self._doors.clock())
        except Unproven:
            raise SignatureRefused from None
        return await self._dispatch(request, body)

    async def _dispatch(self, request: Request, body: bytes) -> Response:
        payload = _payload(body, request.headers.get("content-type", ""))
        team_id = _team_id(payload)
        tenant_id = await self._doors.teams.tenant_of(team_id) if team_id else None
        if team_id and tenant_id is None:
            # Answered and counted, never guessed: a retry or an error would not make the team known.
            log.warning("slack_team_unknown")
            return Response(status_code=HTTPStatus.OK.value)
        headers: dict[str, str | Sequence[str]] = {"content-type": request.headers.get("content-type", "")}
        context = {"tenant_id": tenant_id, "payload": payload}
        try:
            bolt_request = AsyncBoltRequest(body=body.decode(), headers=headers, context=context)
            return _answer(await self._bolt.async_dispatch(bolt_request))
        except BOLT_TRIPS:
            raise MalformedBody(HTTPStatus.UNPROCESSABLE_ENTITY, "Not a shape that Slack sends") from None


def _answer(given: BoltResponse) -> Response:
    if given.status == HTTPStatus.SERVICE_UNAVAILABLE:
        raise TryLater
    if given.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SlackDispatchFailed
    if given.status >= HTTPStatus.BAD_REQUEST:
        raise Problem(HTTPStatus.NOT_FOUND, "unhandled_request", "This app does not take such requests")
    return to_starlette_response(given)


class SlackDispatchFailed(Exception):
    """Bolt answered 500: a mistake of ours."""

    def __init__(self) -> None:
        super().__init__("The Slack request could not be handled")


class ClickNotKept(Exception):
    """Our own listener failed: a mistake of ours."""

    def __init__(self) -> None:
        super().__init__("The click could not be kept")


async def _keep(inbox: Inbox, tenant_id: UUID, payload: Mapping[str, object]) -> None:
    click = click_of(payload)
    if click is None:
        log.warning("slack_action_unknown")
    else:
        await inbox.accept(_arrival(tenant_id, payload, click))


def _bolt_app(inbox: Inbox) -> AsyncApp:
    app = AsyncApp(
        logger=_silent(),
        # The answer is made after the listener has ended, so an acknowledgement cannot be lost or come early.
        process_before_response=True,
        request_verification_enabled=False,
        authorize=_authorize,
    )

    @app.action(re.compile(".*"))
    async def keep_click(ack: AsyncAck, context: AsyncBoltContext) -> None:
        """Commit, then acknowledge. Whether the vote counts is found out later."""
        try:
            await _keep(inbox, context["tenant_id"], context["payload"])
        except BOLT_TRIPS as error:
            raise ClickNotKept from error
        await ack()

    @app.error
    async def answer_failure(error: Exception) -> BoltResponse:
        if isinstance(error, UNAVAILABLE):
            return BoltResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)
        if isinstance(error, BOLT_TRIPS):
            return BoltResponse(status=HTTPStatus.UNPROCESSABLE_ENTITY)
        log.error("click_not_kept", error=type(error).__name__)
        return BoltResponse(status=HTTPStatus.INTERNAL_SERVER_ERROR)

    return app


def _silent() -> logging.Logger:
    # Bolt logs whole request bodies, and those may hold what a customer wrote.
    logger = logging.getLogger("slack_bolt.silenced")
    logger.disabled = True
    return logger


async def _authorize(enterprise_id: str | None, team_id: str | None, user_id: str | None) -> AuthorizeResult:
    # The door only writes to the inbox: it holds no Slack token and needs none.
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id)


def _payload(body: bytes, content_type: str) -> Mapping[str, object]:
    try:
        text = body.decode()
        document = json.loads(text) if "json" in content_type else _form(text)
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair could be stored nowhere
    except (ValueError, RecursionError):
        raise MalformedBody(HTTPStatus.BAD_REQUEST, "Neither a form nor JSON") from None
    if not isinstance(document, dict):
        raise MalformedBody(HTTPStatus.UNPROCESSABLE_ENTITY, "A JSON object is expected")
    return document


def _form(text: str) -> object:
    fields = parse_qs(text, keep_blank_values=True, max_num_fields=100)
    if "payload" in fields:
        return json.loads(fields["payload"][0])
    return {name: values[0] for name, values in fields.items()}


def _team_id(payload: Mapping[str, object]) -> str | None:
    team = payload.get("team")
    named = team.get("id") if isinstance(team, dict) else payload.get("team_id")
    return named if isinstance(named, str) and named else None


def _arrival(tenant_id: UUID, payload: Mapping[str, object], click: Click) -> Arrival:
    return Arrival(
        tenant_id=tenant_id,
        kind=InboxKind.SLACK,
        source=SOURCE,
        delivery_key=click_key(payload),
        body=click.model_dump_json().encode(),
    )
