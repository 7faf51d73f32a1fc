"""The helpdesks' door over the real inbox: what is acknowledged is committed, once."""

import asyncio
from collections.abc import AsyncIterator
from time import time
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from adapters.helpdesks.standard_webhooks import signature
from adapters.keys import DoorKeys, EnvelopeKeys
from adapters.postgres.deliveries import InboxDeliveries
from adapters.postgres.hooks import DoorHooks, DoorTeams, HookAddress
from adapters.postgres.inbox import DoorInbox
from adapters.postgres.tenant_registry import HelpdeskEntry, SlackEntry, TenantRegistry
from api.app import create_app
from api.doors import Doors
from domain.ticket import TicketRef, route_key
from tests.api.fakes import NEXT_SECRET, SECRET
from tests.conftest import Databases, a_configuration

SLUG = "slug-of-this-test"
BODY = b'{"type":"ticket.message_created","ticket_id":"1001"}'


def entry(*secrets: str, slug: str = SLUG) -> HelpdeskEntry:
    return HelpdeskEntry(
        slug=slug,
        base_url="http://127.0.0.1:9/helpdesk",
        api_token=SecretStr("hd_invented"),
        webhook_secrets=tuple(SecretStr(secret) for secret in secrets),
    )


def signed(secret: str = SECRET, id_: str = "msg_1") -> dict[str, str]:
    at = str(int(time()))
    return {
        "webhook-id": id_,
        "webhook-timestamp": at,
        "webhook-signature": signature(secret, id_, at, BODY).decode(),
    }


@pytest.fixture
async def name(registry: TenantRegistry, tenant_id: UUID) -> str:
    name = a_configuration(tenant_id).name
    await registry.put_helpdesk(tenant_id, name, entry(SECRET))
    return name


@pytest.fixture
async def client(databases: Databases, door_keys: DoorKeys) -> AsyncIterator[httpx.AsyncClient]:
    doors = Doors(
        hooks=DoorHooks(databases.door, door_keys),
        inbox=DoorInbox(databases.door, door_keys),
        teams=DoorTeams(databases.door),
        store_answers=databases.door.ping,
    )
    transport = httpx.ASGITransport(create_app(doors))
    async with httpx.AsyncClient(transport=transport, base_url="http://countersign.test") as client:
        yield client


@pytest.fixture
def hooks(databases: Databases, door_keys: DoorKeys) -> DoorHooks:
    return DoorHooks(databases.door, door_keys)


@pytest.fixture
def deliveries(databases: Databases, keys: EnvelopeKeys) -> InboxDeliveries:
    return InboxDeliveries(databases.app, keys)


async def test_fifty_copies_at_once_become_one_delivery_of_the_ticket(
    client: httpx.AsyncClient, hooks: DoorHooks, deliveries: InboxDeliveries, tenant_id: UUID, name: str
) -> None:
    path = f"/hooks/{name}/generic/{SLUG}"

    answers = await asyncio.gather(*(client.post(path, content=BODY, headers=signed()) for _ in range(50)))

    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [202]
    [delivery_id] = {answer.json()["delivery_id"] for answer in answers}
    hook = await hooks.find(HookAddress(name, "generic", SLUG))
    assert hook is not None
    ticket = TicketRef(tenant_id=tenant_id, route=route_key(hook.routing_secret, "generic", "1001"))
    [delivery] = await deliveries.unconsumed(ticket)
    assert (str(delivery.id), delivery.external_ticket_id) == (delivery_id, "1001")


async def test_secret_is_rotated_without_a_refused_delivery(
    client: httpx.AsyncClient, registry: TenantRegistry, hooks: DoorHooks, tenant_id: UUID, name: str
) -> None:
    address = HookAddress(name, "generic", SLUG)
    known = await hooks.find(address)
    await registry.put_helpdesk(tenant_id, name, entry(SECRET, NEXT_SECRET))
    path = f"/hooks/{name}/generic/{SLUG}"

    old = await client.post(path, content=BODY, headers=signed(SECRET, "msg_1"))
    new = await client.post(path, content=BODY, headers=signed(NEXT_SECRET, "msg_2"))

    assert known is not None
    assert known.secrets == (SECRET,)
    assert [old.status_code, new.status_code] == [202, 202]


async def test_address_added_a_moment_ago_is_found(
    client: httpx.AsyncClient, registry: TenantRegistry, tenant_id: UUID, name: str
) -> None:
    path = f"/hooks/{name}/generic/another-slug-now"
    before = await client.post(path, content=BODY, headers=signed())

    await registry.put_helpdesk(tenant_id, name, entry(SECRET, slug="another-slug-now"))

    after = await client.post(path, content=BODY, headers=signed())
    assert [before.status_code, after.status_code] == [404, 202]


async def test_workspace_is_found_by_its_team(
    registry: TenantRegistry, databases: Databases, tenant_id: UUID
) -> None:
    team_id = f"T{tenant_id.hex[:10].upper()}"
    slack = SlackEntry(team_id=team_id, channel_id="C0SUPPORT", bot_token=SecretStr("xoxb-invented"))
    await registry.put_slack(tenant_id, slack)

    teams = DoorTeams(databases.door)

    assert await teams.tenant_of(team_id) == tenant_id
    assert await teams.tenant_of("T0NOBODY") is None


async def test_ready_when_the_database_answers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/ready")

    assert answer.json()["status"] == "ok"
