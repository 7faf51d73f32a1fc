"""Tells browsers that the Temporal UI may read our answers, refusals included."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ReadableBy:
    """Adds the headers for pages of these origins, named one by one: cookies come along."""

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Nothing is added for anybody else."""
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None

        async def allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if origin in self._origins:
                    headers["Access-Control-Allow-Origin"] = str(origin)
                    headers["Access-Control-Allow-Credentials"] = "true"
            await send(message)

        await self._app(scope, receive, allowed)
