"""The emulators as their own process on a free port, and their control door."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from adapters.http import Endpoint
from adapters.slack.client import SlackInstallation
from domain.action import Action
from domain.effect import Receipt, SendOrder
from domain.ticket import TicketRef

BRAND = "lantern_lamps"
TENANT = UUID("5f0c2f6e-7a43-4c1b-9d25-0c1c5f6a7b10")
CHANNEL = "C0LAMPS"
TEAMMATE = "U0NORA"
HELPDESK_TOKEN, SHOP_TOKEN, PAYMENTS_KEY, BOT_TOKEN = "hd_lamps", "shop_lamps", "sk_test_lamps", "xoxb-lamps"
EMAIL, ORDER, PAYMENT = "piet@example.com", "LL-100", "pay_100"
KEY = "eff_" + "1" * 40
OTHER_KEY = "eff_" + "2" * 40

SETUP = {
    "control_token": "control-lamps",
    "slack": {
        "team_id": "T0LAMPS",
        "team_domain": "lamps",
        "bot_token": BOT_TOKEN,
        "signing_secret": "signing-lamps",
        "request_url": "http://127.0.0.1:1/slack/events",
        "users": [{"id": TEAMMATE, "name": "nora"}],
        "channels": [{"id": CHANNEL, "name": "lamps"}],
    },
    "payments": {"secret_key": PAYMENTS_KEY},
    "brands": [
        {
            "name": BRAND,
            "title": "Lantern Lamps",
            "helpdesk_token": HELPDESK_TOKEN,
            "shop_token": SHOP_TOKEN,
            "customers": [{"email": EMAIL, "name": "Piet Vos"}],
            "orders": [
                {
                    "number": ORDER,
                    "customer_email": EMAIL,
                    "status": "delivered",
                    "total": {"minor_units": 4000, "currency": "EUR"},
                    "payment_id": PAYMENT,
                    "ordered_at": "2026-11-02T09:00:00Z",
                    "delivered_at": "2026-11-06T12:00:00Z",
                }
            ],
        }
    ],
}


class Emulated:
    """The running emulators, as a test sees and steers them."""

    def __init__(self, base_url: str, control: httpx.Client) -> None:
        self.base_url = base_url
        self._control = control

    def endpoint(self, surface: str) -> Endpoint:
        """Where an adapter finds the helpdesk, the shop or the payment provider."""
        paths = {"helpdesk": f"helpdesk/{BRAND}/api", "shop": f"shop/{BRAND}/api", "payments": "payments/api"}
        tokens = {"helpdesk": HELPDESK_TOKEN, "shop": SHOP_TOKEN, "payments": PAYMENTS_KEY}
        return Endpoint(f"{self.base_url}/{paths[surface]}", tokens[surface])

    def new_ticket(self, body: str = "Where is my lamp?") -> str:
        """A ticket of Piet's, without webhook."""
        requester = {"name": "Piet Vos", "email": EMAIL}
        ticket = {"brand": BRAND, "subject": "Lamp", "body": body, "requester": requester}
        return str(self._post("tickets", {**ticket, "send_webhook": False})["id"])

    def add_message(self, ticket_id: str, author: str, body: str) -> None:
        """Somebody writes on the ticket."""
        path = f"tickets/{BRAND}/{ticket_id}/messages"
        self._post(path, {"author": author, "body": body, "public": True, "send_webhook": False})

    def plant(self, surface: str, kind: str, **more: object) -> None:
        """A fault for the next request of a surface."""
        self._post("faults", {"surface": surface, "kind": kind, **more})

    def state(self) -> dict[str, Any]:
        """Everything that the outside saw."""
        return dict(self._control.get("state").raise_for_status().json())

    def reset(self) -> None:
        """Forgets tickets, refunds, messages and faults."""
        self._post("reset", {})

    def _post(self, path: str, body: dict[str, object]) -> dict[str, Any]:
        answer = self._control.post(path, json=body).raise_for_status()
        return dict(answer.json()) if answer.content else {}


@contextmanager
def running_emulators(folder: Path) -> Iterator[Emulated]:
    """Starts the process, waits until it answers, and ends it."""
    (folder / "setup.json").write_text(json.dumps(SETUP))
    port = _free_port()
    command = [sys.executable, "-m", "emulators", "--port", str(port), "--state", str(folder)]
    command += ["--config", str(folder / "setup.json")]
    process = subprocess.Popen(command)  # noqa: S603 - our own module with our own arguments
    base_url = f"http://127.0.0.1:{port}"
    # Connecting is tried again with growing pauses while the process starts.
    transport = httpx.HTTPTransport(retries=6)
    headers = {"Authorization": f"Bearer {SETUP['control_token']}"}
    try:
        with httpx.Client(
            base_url=f"{base_url}/control/", headers=headers, transport=transport, timeout=30
        ) as control:
            control.get("state").raise_for_status()
            yield Emulated(base_url, control)
    finally:
        process.terminate()
        process.wait(timeout=10)


def order_of(
    action: Action, ticket_id: str = "1", *, text: str = "", key: str = KEY, earlier: Receipt | None = None
) -> SendOrder:
    """A claimed effect on Piet's ticket."""
    return SendOrder(
        key=key,
        ticket=TicketRef(tenant_id=TENANT, route="a" * 32),
        external_ticket_id=ticket_id,
        source="generic",
        action=action,
        text=text,
        record_ids=RECORD_IDS,
        earlier=earlier,
    )


ORDER_RECORD, PAYMENT_RECORD = "order_" + "a" * 24, "payment_" + "b" * 24
PRINCIPAL_RECORD = "principal_" + "c" * 24
RECORD_IDS = {ORDER_RECORD: ORDER, PAYMENT_RECORD: PAYMENT, PRINCIPAL_RECORD: TEAMMATE}


async def installation_of(tenant_id: UUID) -> SlackInstallation:
    """Every tenant's Slack is the emulated one."""
    return SlackInstallation("T0LAMPS", CHANNEL, BOT_TOKEN)


def texts(state: dict[str, Any], ticket_id: str) -> Sequence[str]:
    """What is written on a ticket."""
    ticket = next(ticket for ticket in state["tickets"] if ticket["id"] == ticket_id)
    return [message["body"] for message in ticket["messages"]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
