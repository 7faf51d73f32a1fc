"""Outermost layer: one log line per request by route, and a problem body for what nobody caught.

Lines carry the route's template, never the address: slugs and query strings are secrets.
"""

import traceback
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems

log = structlog.get_logger("api.access")


class AccessLog:
    """Wraps the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Anything but HTTP passes untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the last net: a traceback could show what was sent
            log.error("request_failed", route=_route(scope), **_whereabouts(error))  # noqa: TRY400 - see above
            if status == 0:
                await problems.unexpected()(scope, receive, watched)
        finally:
            took = round((perf_counter() - started) * 1000, 1)
            log.info(
                "request_answered", method=scope["method"], route=_route(scope), status=status, took_ms=took
            )


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "unknown"))


def _whereabouts(error: Exception) -> dict[str, str]:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return {"error": type(error).__name__, "where": f"{last.name}:{last.lineno}" if last else "unknown"}
