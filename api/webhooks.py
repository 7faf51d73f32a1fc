"""`POST /hooks/{tenant}/{source}/{slug}`: verify, commit to the inbox, acknowledge. Nothing else.

Whatever is sent, the answer is a 2xx after the commit (at once for our own echoes) or a 4xx;
503 only while nothing can be stored.
"""

import hashlib
import hmac
import json
import re
import secrets
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid5

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from adapters.helpdesks.inbound import Malformed, Source, Unproven
from adapters.postgres.hooks import Hook, HookAddress
from adapters.postgres.inbox import Accepted, Arrival, InboxKind
from api.body import raw_body
from api.doors import Doors
from api.problems import MEDIA_TYPE, MalformedBody, NoSuchDoor, ProblemBody, SignatureRefused
from api.sources import SOURCES
from domain.model import CODE_PATTERN, RouteKey
from domain.ticket import TicketRef, route_key

log = structlog.get_logger("api.webhooks")

_TENANT = re.compile(CODE_PATTERN)
_SLUG = re.compile(r"[A-Za-z0-9_-]{8,128}")
_DESCRIPTION: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["ticket_id"],
                    "properties": {"type": {"type": "string"}, "ticket_id": {"type": "string"}},
                }
            }
        },
    },
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"content": {MEDIA_TYPE: {"schema": ProblemBody.model_json_schema()}}, "description": text}
    for status, text in {
        400: "Not JSON",
        401: "The signature was refused",
        404: "No such address",
        408: "The body did not arrive in time",
        413: "The body is too large",
        422: "JSON of another shape",
        503: "Nothing can be stored just now; send it again",
    }.items()
}


class Acknowledged(BaseModel):
    """The delivery is committed, or needs nothing. A retry gets the same id."""

    delivery_id: UUID = Field(description="Names the delivery; the same for every copy of it")


def webhook_router(doors: Doors) -> APIRouter:
    """The helpdesks' door."""
    router = APIRouter(tags=["webhooks"])
    door = _WebhookDoor(doors)

    @router.post(
        "/hooks/{tenant}/{source}/{slug}",
        status_code=HTTPStatus.ACCEPTED,
        responses={200: {"model": Acknowledged, "description": "Seen before"}, **_PROBLEMS},
        openapi_extra=_DESCRIPTION,
    )
    async def receive_webhook(
        tenant: str, source: str, slug: str, request: Request, response: Response
    ) -> Acknowledged:
        """Take a signed delivery of a helpdesk."""
        accepted = await door.receive(HookAddress(tenant, source, slug), request)
        if not accepted.new:
            response.status_code = HTTPStatus.OK.value
        return Acknowledged(delivery_id=accepted.delivery_id)

    return router


class _WebhookDoor:
    def __init__(self, doors: Doors) -> None:
        self._hooks = doors.hooks
        self._inbox = doors.inbox
        self._clock = doors.clock

    async def receive(self, address: HookAddress, request: Request) -> Accepted:
        source = _source_at(address)
        body = await raw_body(request)
        hook, delivery = await self._prove(address, source, request, body)
        document = _document(body)
        ticket_id = _ticket_named_in(document, source)
        arrival = _arrival(hook, address.source, delivery, ticket_id, body)
        if source.is_echo(document):
            # Nobody waits for an answer to it: a row, a wake-up and another look would find nothing to do.
            return Accepted(uuid5(hook.tenant_id, arrival.delivery_key), new=True)
        accepted = await self._inbox.accept(arrival)
        if ticket_id is None:
            log.warning("delivery_unroutable", delivery_id=str(accepted.delivery_id))
        return accepted

    async def _prove(
        self, address: HookAddress, source: Source, request: Request, body: bytes
    ) -> tuple[Hook, str]:
        hook = await self._hooks.find(address)
        if hook is None:
            raise NoSuchDoor
        try:
            return hook, source.verify(request.headers, body, hook.secrets, self._clock())
        except Unproven:
            return await self._prove_afresh(address, source, request, body)

    async def _prove_afresh(
        self, address: HookAddress, source: Source, request: Request, body: bytes
    ) -> tuple[Hook, str]:
        hook = await self._hooks.refreshed(address)
        if hook is None:
            raise NoSuchDoor
        try:
            return hook, source.verify(request.headers, body, hook.secrets, self._clock())
        except Unproven:
            raise SignatureRefused from None


def _source_at(address: HookAddress) -> Source:
    source = SOURCES.get(address.source)
    if source is None or not _TENANT.fullmatch(address.tenant) or not _SLUG.fullmatch(address.slug):
        raise NoSuchDoor
    return source


def _document(body: bytes) -> object:
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedBody(HTTPStatus.BAD_REQUEST, "The body is not JSON") from None
    return document


def _ticket_named_in(document: object, source: Source) -> str | None:
    try:
        return source.route(document)
    except Malformed:
        raise MalformedBody(HTTPStatus.UNPROCESSABLE_ENTITY, "A JSON object is expected") from None


def _arrival(hook: Hook, source: str, delivery: str, ticket_id: str | None, body: bytes) -> Arrival:
    route = None if ticket_id is None else route_key(hook.routing_secret, source, ticket_id)
    return Arrival(
        tenant_id=hook.tenant_id,
        kind=InboxKind.HELPDESK,
        source=source,
        # The sender's own id may say anything, so it is kept only as a digest.
        delivery_key=_delivery_key(hook.routing_secret, delivery),
        route=route,
        external_id=ticket_id or "",
        body=body,
        traceparent=_traceparent(hook.tenant_id, route),
    )


def _delivery_key(routing_secret: bytes, delivery: str) -> str:
    return hmac.new(routing_secret, f"delivery\n{delivery}".encode(), hashlib.sha256).hexdigest()[:32]


def _traceparent(tenant_id: UUID, route: RouteKey | None) -> str | None:
    # One ticket is one trace, so its id is the ticket's; the sender's own trace context is not continued.
    if route is None:
        return None
    ticket = TicketRef(tenant_id=tenant_id, route=route)
    return f"00-{ticket.ticket_id.hex}-{secrets.token_hex(8)}-01"
