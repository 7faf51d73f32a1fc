"""`POST /decode`: what the Temporal UI and CLI ask. There is no way to encode."""

from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request, Response

from adapters.temporal_codec import key_id_of
from api.body import raw_body
from api.codec.access import OriginRefused, refuse_other_pages, signed_in
from api.codec.opening import Opening
from api.codec.ports import CodecParts
from api.codec.wire import LIMIT_BYTES, WirePayloads, is_ours, payload_of, read, wire_of
from domain.audit import PayloadsRefused

log = structlog.get_logger("api.codec")

PREFLIGHT_S = 7200
ALLOWED_HEADERS = "authorization, content-type, x-namespace"


def decode_router(parts: CodecParts) -> APIRouter:
    """The endpoint, and the question that browsers ask before it."""
    router = APIRouter(tags=["codec"])

    @router.options("/decode", include_in_schema=False)
    async def preflight(request: Request) -> Response:
        if request.headers.get("origin") not in parts.origins:
            raise OriginRefused
        return Response(
            status_code=HTTPStatus.NO_CONTENT,
            headers={
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": str(PREFLIGHT_S),
            },
        )

    @router.post("/decode", response_model_exclude_unset=True)
    async def decode(request: Request, response: Response) -> WirePayloads:
        """Open payloads of the tenants that the token is for; all others come back as they are."""
        refuse_other_pages(request, parts.origins)
        operator = await signed_in(request, parts)
        sent = read(await raw_body(request, LIMIT_BYTES))
        parts.allowance.take(operator.fingerprint, len(sent.payloads))
        payloads = [payload_of(payload) for payload in sent.payloads]
        wanted = {key_id_of(payload) for payload in payloads if is_ours(payload)}
        opening = Opening(operator, await parts.keys.owned(wanted))
        opened = opening.open(payloads)
        # Committed before anybody reads a word; where it cannot be written, nobody does.
        await parts.records.write(opening.events())
        for tenant_id, event in opening.events():
            if isinstance(event, PayloadsRefused):
                log.warning("payloads_refused", tenant=str(tenant_id), refused=event.refused)
        response.headers["Cache-Control"] = "no-store"
        pairs = zip(sent.payloads, opened, strict=True)
        return WirePayloads(payloads=[wire_of(clear) if clear else as_sent for as_sent, clear in pairs])

    return router
