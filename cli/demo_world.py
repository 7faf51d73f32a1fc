"""The demo's shops: seeds the emulators and registers the tenants, from `cli/demo_data`."""

import base64
import json
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from adapters.embedded.files import write_durably
from adapters.embedded.home import Home
from adapters.postgres.policy_moves import Movers
from cli.demo_data import TENANTS, OrderPart, shop_of, tenant_file
from cli.processes import Stack
from cli.tenant import tenant_stores
from cli.tenants import TenantSpec, add_tenant, read_policy, read_tenant

CONTROL_TIMEOUT_S = 60.0
ORDER_NUMBER = re.compile(r"\b(?P<shop>HB|AG|LL)-(?P<number>[0-9]{5})\b")


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


def policy_file(home: Home, tenant: str) -> Path:
    """The person's own copy of a tenant's policy: made once, theirs to change."""
    own = home.path / "policies" / f"{tenant}.yaml"
    if not own.exists():
        own.parent.mkdir(exist_ok=True, mode=0o700)
        shutil.copyfile(tenant_file(tenant).parent / "policy.yaml", own)
    return own


def next_run(home: Home) -> int:
    """How many demos this home has seen. Each has orders of its own, or its refunds would be spent."""
    counter = home.run / "demo_runs"
    number = int(counter.read_text()) if counter.exists() else 0
    write_durably(counter, str(number + 1))
    return number


def renumbered(text: str, run: int) -> str:
    """The order numbers of a run; the numbers in our texts differ in their last three digits."""
    return ORDER_NUMBER.sub(lambda found: f"{found['shop']}-{int(found['number']) + 1000 * run}", text)


async def build(
    stack: Stack,
    *,
    recontact_window_s: int,
    policies: Mapping[str, Path],
    run: int = 0,
    acknowledge_within_s: int | None = None,
) -> Emulators:
    """All shops and their tenants; again and again without harm. `policies` replaces the tenants' own."""
    promises = {
        "recontact_window_s": json.dumps(recontact_window_s),
        "acknowledge_within_s": json.dumps(acknowledge_within_s),
    }
    emulators = Emulators(stack.emulators_url, stack.secrets.control_token)
    async with tenant_stores(stack.settings) as stores:
        for tenant in TENANTS:
            words = _words(stack, tenant) | promises
            spec = read_tenant(tenant, tenant_file(tenant), words)
            if tenant in policies:
                spec = replace(spec, policy=read_policy(policies[tenant], policies[tenant]))
            await emulators.ask("POST", "/seed", _seed(stack, spec, words, run))
            await add_tenant(stores, spec, Movers(development=True))
    return emulators


def _words(stack: Stack, tenant: str) -> dict[str, str]:
    """What the templates of the tenant files leave open."""

    def kept(name: str) -> str:
        return stack.home.secret(f"demo_{tenant}_{name}", lambda: secrets.token_urlsafe(24))

    slack = shop_of(tenant).slack
    return {
        "emulators_url": stack.emulators_url,
        "helpdesk_token": kept("helpdesk_token"),
        "shop_token": kept("shop_token"),
        "slug": kept("slug"),
        "bot_token": f"xoxb-{kept('bot_token')}",
        "webhook_secret": stack.home.secret(f"demo_{tenant}_webhook_secret", _webhook_secret),
        "payments_key": stack.home.secret("demo_payments_key", lambda: secrets.token_urlsafe(24)),
        "slack_team_id": slack.team_id,
        "slack_channel_id": slack.channel.id,
    }


def _webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _seed(stack: Stack, spec: TenantSpec, words: Mapping[str, str], run: int) -> Mapping[str, object]:
    """The outside world's side of the same connections."""
    shop = shop_of(spec.name)
    return {
        "slack": {
            "team_id": shop.slack.team_id,
            "team_domain": shop.slack.team_domain,
            "bot_token": words["bot_token"],
            "signing_secret": stack.secrets.slack_signing_secret,
            "request_url": f"{stack.api_url}/slack/events",
            "users": [_slack_user(mate.slack_user_id, mate.name) for mate in spec.file.teammates],
            "channels": [shop.slack.channel.model_dump()],
        },
        "payments": {"secret_key": words["payments_key"]},
        "brands": [
            {
                "name": spec.name,
                "title": spec.file.title,
                "channel_id": shop.slack.channel.id,
                "helpdesk_token": words["helpdesk_token"],
                "shop_token": words["shop_token"],
                "webhook": {
                    "url": f"{stack.api_url}/hooks/{spec.name}/generic/{words['slug']}",
                    "secret": words["webhook_secret"],
                },
                "customers": [customer.model_dump() for customer in shop.customers],
                "orders": [_order(order, run) for order in shop.orders],
            }
        ],
    }


def _order(order: OrderPart, run: int) -> Mapping[str, object]:
    own = {"number": renumbered(order.number, run), "payment_id": f"{order.payment_id}_{run}"}
    return order.model_dump(mode="json") | own


def _slack_user(user_id: str, name: str) -> Mapping[str, str]:
    return {"id": user_id, "name": name.split(maxsplit=1)[0].lower(), "real_name": name}
