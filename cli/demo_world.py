"""The demo's two shops: seeds the emulators and registers the tenants, from `cli/demo_data`."""

import base64
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import httpx
import yaml
from pydantic import BaseModel, ConfigDict, Field

from adapters.embedded.home import Home
from cli.processes import Stack
from cli.tenant import tenant_stores
from cli.tenants import TenantSpec, add_tenant, read_policy, read_tenant

DATA = Path(__file__).parent / "demo_data"
TENANTS = ("harbour_books", "alpine_gear")
CONTROL_TIMEOUT_S = 60.0


class DemoVote(BaseModel):
    """What the demo answers when nobody is there to click."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: str
    kind: Literal["approve", "reject"]
    reason: str | None = None


class DemoTicket(BaseModel):
    """A ticket in our own words, and how it is to end."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str
    tenant: str
    requester: str = Field(alias="from")
    subject: str
    body: str
    orders: tuple[str, ...] = ()
    duplicate_delivery: bool = False
    own_echo: bool = False
    vote: DemoVote | None = None
    expect: Literal["answered", "refunded", "refunded_after_approval", "handed_over"]
    reason: str | None = None


@dataclass(frozen=True)
class Emulators:
    """The control door of the emulators."""

    url: str
    token: str

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Raises `HTTPStatusError` where the emulators refuse."""
        async with httpx.AsyncClient(base_url=self.url, timeout=CONTROL_TIMEOUT_S) as client:
            answer = await client.request(
                method, f"/control{path}", json=body, headers={"Authorization": f"Bearer {self.token}"}
            )
        answer.raise_for_status()
        return answer.json()


def demo_tickets() -> Sequence[DemoTicket]:
    """In the order in which they are sent."""
    content = yaml.safe_load((DATA / "tickets.yaml").read_text("utf-8"))
    return [DemoTicket.model_validate(ticket) for ticket in content["tickets"]]


def customer(tenant: str, email: str) -> Mapping[str, str]:
    """The helpdesk's record of a customer; whoever the shop does not know has an address only."""
    known = {entry["email"]: entry for entry in _shop(tenant)["customers"]}
    unknown = {"name": email.partition("@")[0].replace(".", " ").title(), "email": email}
    record: Mapping[str, str] = known.get(email, unknown)
    return record


def policy_file(home: Home, tenant: str) -> Path:
    """The person's own copy of a tenant's policy: made once, theirs to change."""
    own = home.path / "policies" / f"{tenant}.json"
    if not own.exists():
        own.parent.mkdir(exist_ok=True, mode=0o700)
        shutil.copyfile(DATA / tenant / "policy.json", own)
    return own


async def build(stack: Stack, *, recontact_window_s: int, policies: Mapping[str, Path]) -> Emulators:
    """Both shops and both tenants; again and again without harm. `policies` replaces the tenants' own."""
    emulators = Emulators(stack.emulators_url, stack.secrets.control_token)
    async with tenant_stores(stack.settings) as stores:
        for tenant in TENANTS:
            words = _words(stack, tenant, recontact_window_s)
            file = DATA / tenant / "tenant.yaml"
            spec = read_tenant(tenant, file, words)
            if tenant in policies:
                spec = replace(spec, policy=read_policy(policies[tenant], policies[tenant]))
            await emulators.ask("POST", "/seed", _seed(stack, spec, words))
            await add_tenant(stores, spec)
    return emulators


def _words(stack: Stack, tenant: str, recontact_window_s: int) -> dict[str, str]:
    """What the templates of the tenant files leave open."""

    def kept(name: str) -> str:
        return stack.home.secret(f"demo_{tenant}_{name}", lambda: secrets.token_urlsafe(24))

    def webhook_key() -> str:
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()

    slack = _shop(tenant)["slack"]
    return {
        "emulators_url": stack.emulators_url,
        "recontact_window_s": str(recontact_window_s),
        "helpdesk_token": kept("helpdesk_token"),
        "shop_token": kept("shop_token"),
        "slug": kept("slug"),
        "bot_token": f"xoxb-{kept('bot_token')}",
        "webhook_secret": stack.home.secret(f"demo_{tenant}_webhook_secret", webhook_key),
        "payments_key": stack.home.secret("demo_payments_key", lambda: secrets.token_urlsafe(24)),
        "slack_team_id": slack["team_id"],
        "slack_channel_id": slack["channel"]["id"],
    }


def _seed(stack: Stack, spec: TenantSpec, words: Mapping[str, str]) -> Mapping[str, object]:
    """The outside world's side of the same connections."""
    tenant, file = spec.name, spec.file
    shop = _shop(tenant)
    hook = f"{stack.api_url}/hooks/{tenant}/generic/{words['slug']}"
    return {
        "slack": {
            "team_id": words["slack_team_id"],
            "team_domain": shop["slack"]["team_domain"],
            "bot_token": words["bot_token"],
            "signing_secret": stack.secrets.slack_signing_secret,
            "request_url": f"{stack.api_url}/slack/events",
            "users": [_slack_user(mate.slack_user_id, mate.name) for mate in file.teammates],
            "channels": [shop["slack"]["channel"]],
        },
        "payments": {"secret_key": words["payments_key"]},
        "brands": [
            {
                "name": tenant,
                "title": file.title,
                "channel_id": words["slack_channel_id"],
                "helpdesk_token": words["helpdesk_token"],
                "shop_token": words["shop_token"],
                "webhook": {"url": hook, "secret": words["webhook_secret"]},
                "customers": shop["customers"],
                "orders": [_order(order) for order in shop["orders"]],
            }
        ],
    }


def _slack_user(user_id: str, name: str) -> Mapping[str, str]:
    return {"id": user_id, "name": name.split(maxsplit=1)[0].lower(), "real_name": name}


def _order(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Amounts are written as people write them: `24.90 EUR`."""
    amount, currency = order["total"].split()
    units, _, cents = amount.partition(".")
    return {**order, "total": {"minor_units": int(units) * 100 + int(cents or 0), "currency": currency}}


def _shop(tenant: str) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load((DATA / tenant / "shop.yaml").read_text("utf-8")))
