"""The whole system as the outside meets it: customers write, teammates click, and both look."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import pytest
from temporalio.client import WorkflowExecutionStatus

from adapters.postgres.ticket_lists import EffectLine, TicketLine
from adapters.settings import program_variables
from cli.__main__ import run
from cli.connected import Connected
from cli.demo_data import TENANTS, tenant_file
from cli.demo_watch import RESTING, Ending, Sent, Watch
from cli.demo_world import Emulators
from cli.processes import Stack
from tests.end_to_end.polling import eventually
from tests.end_to_end.records import Records
from workflows.ids import ticket_workflow_id

Json = dict[str, Any]
BOOKS, GEAR, LAMPS = TENANTS
CHANNELS = {BOOKS: "C0BOOKDESK", GEAR: "C0GEARDESK", LAMPS: "C0LAMPDESK"}
LETTERS = {BOOKS: "HB", GEAR: "AG", LAMPS: "LL"}
APPROVE, REJECT = "approval-approve", "approval-reject"
REST_WITHIN_S = 30.0
UNREAD: LiteralString = """
    SELECT id FROM countersign.inbox
    WHERE tenant_id = %s AND route = %s AND state IN ('pending', 'dispatched')"""


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    errors: str


@dataclass(frozen=True)
class Person:
    """A customer, as helpdesk and shop know them."""

    name: str
    email: str
    phone: str | None = None
    address: str | None = None

    def record(self) -> Json:
        return {"name": self.name, "email": self.email, "phone": self.phone, "address": self.address}


@dataclass
class System:
    """Built once for all tests; each brings people and orders of its own."""

    stack: Stack
    emulators: Emulators
    connected: Connected
    records: Records
    _numbers: "count[int]" = field(default_factory=lambda: count(31_001))

    # --- customers

    async def sell(self, tenant: str, to: Person, minor_units: int) -> str:
        """Puts a delivered order into the shop; returns its number."""
        number = f"{LETTERS[tenant]}-{next(self._numbers)}"
        order = {
            "number": number,
            "customer_email": to.email,
            "status": "delivered",
            "total": {"minor_units": minor_units, "currency": "EUR"},
            "payment_id": f"pay_{number}",
            "ordered_at": "2026-11-05T09:12:00Z",
            "delivered_at": "2026-11-09T13:40:00Z",
            "items": ["A thing"],
        }
        brand = {**self._brands[tenant], "customers": [to.record()], "orders": [order]}
        await self.emulators.ask("POST", "/seed", {"brands": [brand]})
        return number

    async def write(self, tenant: str, by: Person, subject: str, body: str, **more: object) -> Sent:
        """Opens a ticket, which the helpdesk announces."""
        new = {"brand": tenant, "subject": subject, "body": body, "requester": by.record(), **more}
        opened = await self.emulators.ask("POST", "/tickets", new)
        return await self.sent(tenant, str(opened["id"]))

    async def sent(self, tenant: str, number: str) -> Sent:
        return Sent(tenant, number, await self.connected.ticket(f"{tenant}/{number}"))

    # --- teammates

    async def card(self, sent: Sent) -> str:
        """The id of the approval that waits, once its card can be clicked."""

        async def posted() -> str | None:
            asked = await self.connected.tickets.pending_approvals(sent.ticket)
            shown = await self.slack(sent.tenant)
            return next((id_ for id_ in asked if any(id_ in str(m["blocks"]) for m in shown)), None)

        return await eventually(posted, f"a card of {sent.name}")

    async def click(self, user: str, action: str, approval: str, reason: str = "") -> Json:
        order = {"user": user, "action_id": action, "approval": approval, "reason": reason}
        answer: Json = await self.emulators.ask("POST", "/slack/click", order)
        return answer

    async def told(self, user: str, words: str, sent: Sent) -> Json:
        """The line about this ticket that only this person sees."""

        async def line() -> Json | None:
            told = {e.receipt for e in await self.effects(sent) if e.type == "slack_ephemeral"}
            seen = [m for m in await self.slack(sent.tenant) if f"{m['channel']}:{m['ts']}" in told]
            return next((m for m in seen if m["ephemeral_to"] == user and words in str(m)), None)

        return await eventually(line, f"a line to {user} that says {words!r}")

    async def turns(self, sent: Sent, number: int) -> TicketLine:
        """The ticket once it rests after so many turns."""

        async def line() -> TicketLine | None:
            found = await self.line(sent)
            return found if found and found.turns >= number and found.stage in RESTING else None

        return await eventually(line, f"turn {number} of {sent.name}")

    # --- what the outside saw

    async def state(self, tenant: str) -> Json:
        state: Json = await self.emulators.ask("GET", f"/state?brand={tenant}")
        return state

    async def slack(self, tenant: str) -> list[Json]:
        messages: list[Json] = (await self.state(tenant))["slack"]["messages"]
        return messages

    async def messages(self, sent: Sent, *, public: bool) -> list[Json]:
        """Our own ones in the helpdesk."""
        tickets = (await self.state(sent.tenant))["tickets"]
        (found,) = [ticket for ticket in tickets if ticket["id"] == sent.number]
        return [m for m in found["messages"] if m["author"] == "automation" and m["public"] is public]

    async def replies(self, sent: Sent) -> list[str]:
        return [message["body"] for message in await self.messages(sent, public=True)]

    async def notes(self, sent: Sent) -> list[str]:
        return [message["body"] for message in await self.messages(sent, public=False)]

    async def refunds(self, tenant: str, order: str) -> list[Json]:
        return [r for r in (await self.state(tenant))["refunds"] if r["payment_id"] == f"pay_{order}"]

    # --- what our own records say

    async def rest(self, sent: Sent, within_s: float = REST_WITHIN_S) -> Ending:
        """How the ticket's turn ended."""
        ended = await Watch(self.connected, [sent]).rest(within_s)
        assert ended, f"{sent.name} does not come to rest: {await self.line(sent)}"
        return ended[0][1]

    async def line(self, sent: Sent) -> TicketLine | None:
        return await self.connected.tickets.one(sent.ticket)

    async def effects(self, sent: Sent) -> Sequence[EffectLine]:
        return await self.connected.tickets.effects_of(sent.ticket)

    async def quiet(self, sent: Sent) -> None:
        """Waits until every webhook of the ticket, our own echoes too, has been worked off."""
        client = await self.connected.temporal()

        async def is_quiet() -> bool:
            hooks = [w for w in (await self.state(sent.tenant))["webhooks"] if w["ticket_id"] == sent.number]
            left = await self.records.rows(UNREAD, str(sent.ticket.tenant_id), sent.ticket.route)
            if left or any(hook["state"] != "delivered" for hook in hooks):
                return False
            runs = client.list_workflows(f"WorkflowId = '{ticket_workflow_id(sent.ticket)}'")
            return not [run async for run in runs if run.status is WorkflowExecutionStatus.RUNNING]

        await eventually(is_quiet, f"quiet around {sent.name}")

    # --- commands

    async def command(self, *arguments: str) -> Said:
        """`countersign …` in a thread of ours, which spares its seconds of imports."""
        return await asyncio.to_thread(self._call, arguments)

    async def process(self, *arguments: str) -> Said:
        """`countersign …` as in another terminal."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cli",
            *arguments,
            env=program_variables() | {"COUNTERSIGN_HOME": str(self.stack.home.path)},
            cwd=self.stack.home.run,  # no .env there
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await process.communicate()
        return Said(process.returncode or 0, out.decode(), errors.decode())

    def _call(self, arguments: Sequence[str]) -> Said:
        out, errors = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
            patch.setenv("COUNTERSIGN_HOME", str(self.stack.home.path))
            code = run(arguments)
        return Said(code, out.getvalue(), errors.getvalue())

    def hook(self, tenant: str) -> tuple[str, str]:
        """Where the tenant's helpdesk announces, and its secret."""
        webhook = self._brands[tenant]["webhook"]
        return webhook["url"], webhook["secret"]

    def bot_token(self, tenant: str) -> str:
        """What the app is known by in the tenant's Slack team."""
        return f"xoxb-{self._kept(tenant, 'bot_token')}"

    def policy_file(self, tenant: str) -> Path:
        return tenant_file(tenant).parent / "policy.yaml"

    @cached_property
    def _brands(self) -> Mapping[str, Json]:
        return {tenant: self._brand(tenant) for tenant in TENANTS}

    def _brand(self, tenant: str) -> Json:
        """What the demo told the emulators; seeding replaces it whole."""
        slug = self._kept(tenant, "slug")
        return {
            "name": tenant,
            "title": tenant,
            "channel_id": CHANNELS[tenant],
            "helpdesk_token": self._kept(tenant, "helpdesk_token"),
            "shop_token": self._kept(tenant, "shop_token"),
            "webhook": {
                "url": f"{self.stack.api_url}/hooks/{tenant}/generic/{slug}",
                "secret": self._kept(tenant, "webhook_secret"),
            },
        }

    def _kept(self, tenant: str, name: str) -> str:
        return (self.stack.home.secrets / f"demo_{tenant}_{name}").read_text()
