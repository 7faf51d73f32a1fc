"""Real servers on free ports: the emulators, and an app that they call."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

PATIENCE_S = 10.0
WEBHOOK_SECRET = "whsec_bG9vcGJhY2stc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY="
SIGNING_SECRET = "sl-secret"


class _Server(uvicorn.Server):
    """Leaves the signals of the test run alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        # The original looks ten times a second; hundreds of tests would wait for it.
        await self.stopping.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve(app: ASGIApp) -> AsyncIterator[str]:
    """Serves `app` on a free port and yields its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1)
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE_S):
        await server.listening.wait()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.stopping.set()
    await task


@dataclass
class Arrived:
    """A request as it came, unparsed."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An app that keeps every request and answers with the next of `statuses`, then with 200."""

    statuses: list[int] = field(default_factory=list)
    arrived: asyncio.Queue[Arrived] = field(default_factory=asyncio.Queue)

    async def next(self) -> Arrived:
        async with asyncio.timeout(PATIENCE_S):
            return await self.arrived.get()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        await self.arrived.put(Arrived(scope["path"], headers, body))
        status = self.statuses.pop(0) if self.statuses else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


@dataclass
class Town:
    """The running emulators and how tests reach them."""

    url: str

    def api(self, path: str, token: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url + path, headers={"authorization": f"Bearer {token}"}, trust_env=False
        )

    def helpdesk(self) -> httpx.AsyncClient:
        return self.api("/helpdesk/harbour_books/api", "hd-token")

    def shop(self) -> httpx.AsyncClient:
        return self.api("/shop/harbour_books/api", "shop-token")

    def payments(self) -> httpx.AsyncClient:
        return self.api("/payments/api", "sk-test")

    def control(self) -> httpx.AsyncClient:
        return self.api("/control", "control")

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers={"accept": "text/html"}, trust_env=False)


def setup(app_url: str) -> dict[str, Any]:
    """A team, two brands, one customer each."""
    return {
        "control_token": "control",
        "slack": {
            "team_id": "T0HARBOUR",
            "team_domain": "harbour",
            "bot_token": "xoxb-harbour",
            "signing_secret": SIGNING_SECRET,
            "request_url": f"{app_url}/slack/events",
            "users": [
                {"id": "U0MARTA", "name": "marta", "real_name": "Marta Lind"},
                {"id": "U0JON", "name": "jon", "real_name": "Jon Reyes"},
            ],
            "channels": [
                {"id": "C0HARBOUR", "name": "harbour-approvals"},
                {"id": "C0ALPINE", "name": "alpine-approvals"},
                {"id": "C0CLOSED", "name": "closed", "is_archived": True},
                {"id": "C0OTHERS", "name": "others", "is_member": False},
            ],
        },
        "payments": {"secret_key": "sk-test"},
        "brands": [
            _brand("harbour_books", "Harbour Books", "HB", app_url),
            _brand("alpine", "Alpine", "AG", app_url),
        ],
    }


ALPINE_SECRET = "sl-secret-of-alpine"


def alpine_slack(app_url: str) -> dict[str, Any]:
    """A second team, for a second seed."""
    return {
        "team_id": "T0ALPINE",
        "team_domain": "alpine-gear",
        "bot_token": "xoxb-alpine",
        "signing_secret": ALPINE_SECRET,
        "request_url": f"{app_url}/alpine/events",
        "users": [{"id": "U0SELMA", "name": "selma", "real_name": "Selma Aydin"}],
        "channels": [{"id": "C0GEAR", "name": "gear-desk"}],
    }


def _brand(name: str, title: str, prefix: str, app_url: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "channel_id": "C0HARBOUR" if prefix == "HB" else "C0ALPINE",
        "helpdesk_token": "hd-token" if prefix == "HB" else "hd-other",
        "shop_token": "shop-token" if prefix == "HB" else "shop-other",
        "webhook": {"url": f"{app_url}/hooks/{name}", "secret": WEBHOOK_SECRET},
        "customers": [{"email": "ida@example.com", "name": "Ida Holm", "phone": "+45 20 12 34 56"}],
        "orders": [
            {
                "number": f"{prefix}-1",
                "customer_email": "ida@example.com",
                "status": "delivered",
                "total": {"minor_units": 4990, "currency": "EUR"},
                "payment_id": f"pay_{prefix}_1",
                "ordered_at": "2026-11-02T09:00:00Z",
                "delivered_at": "2026-11-06T12:00:00Z",
                "items": ["The Lighthouse Year"],
            }
        ],
    }


def ticket(**changes: object) -> dict[str, object]:
    """The body of `POST /control/tickets`."""
    requester = {"name": "Ida Holm", "email": "ida@example.com"}
    return {
        "brand": "harbour_books",
        "subject": "Bent cover",
        "body": "It is bent.",
        "requester": requester,
        **changes,
    }


def card(revision: int = 1) -> list[dict[str, Any]]:
    """An approval card with a field for the reason and two buttons."""
    value = f'{{"a": "apr_1", "r": {revision}}}'
    return [
        {"type": "header", "text": {"type": "plain_text", "text": "Refund 49.90 EUR"}},
        {
            "type": "input",
            "block_id": "reason",
            "optional": True,
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "approval-reason", "multiline": True},
        },
        {
            "type": "actions",
            "block_id": "vote",
            "elements": [_button("approve", "primary", value), _button("reject", "danger", value)],
        },
    ]


def _button(verb: str, style: str, value: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": verb.capitalize()}
    return {"type": "button", "action_id": f"approval-{verb}", "style": style, "text": text, "value": value}
