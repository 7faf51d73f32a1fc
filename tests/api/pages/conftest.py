"""The pages over the real database, each test with a tenant, teammates and a decided refund of its own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import event

from adapters.keys import DoorKeys, EnvelopeKeys
from adapters.postgres.connections import DoorConnections
from adapters.postgres.hooks import DoorHooks, DoorTeams
from adapters.postgres.inbox import DoorInbox
from adapters.postgres.key_store import PostgresKeyStore
from adapters.postgres.logins import Logins, Teammate
from adapters.postgres.tenant_registry import HelpdeskEntry, PrincipalEntry, SlackEntry, TenantRegistry
from api.app import create_app
from api.doors import Doors, Elsewhere
from api.page_parts import page_doors
from domain.decision import PolicyDecision, Verdict
from domain.ticket import TicketRef, route_key
from tests.adapters.postgres.story import GROUP, Story
from tests.api.fakes import SECRET
from tests.conftest import MASTER_KEY, Databases, a_configuration, a_tenant

HOST = "http://countersign.test"
OURS = {"origin": HOST, "sec-fetch-site": "same-origin"}
NUMBER = "1003"


@dataclass
class Office:
    """A tenant with a teammate, reached over its pages."""

    databases: Databases
    registry: TenantRegistry
    keys: EnvelopeKeys
    app: FastAPI
    tenant_id: UUID
    teammate: Teammate

    def __post_init__(self) -> None:
        self.logins = Logins(self.databases.owner, self.keys)

    async def token(self) -> str:
        return (await self.logins.issue_token(self.tenant_id, self.teammate))[1]

    def visit(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers)

    @asynccontextmanager
    async def logged_in(self) -> AsyncIterator[httpx.AsyncClient]:
        async with self.visit() as browser:
            answer = await browser.post("/login", data={"token": await self.token()}, headers=OURS)
            assert answer.status_code == 303
            yield browser

    async def story(self, number: str = NUMBER) -> Story:
        """A ticket as a webhook would name it."""
        connections = DoorConnections(self.databases.door, self.door_keys)
        hook = await connections.webhook(self.tenant_id, "generic")
        assert hook is not None
        ticket = TicketRef(tenant_id=self.tenant_id, route=route_key(hook[1], "generic", number))
        story = Story(self.databases, self.registry, self.keys, ticket)
        await story.tickets.open(ticket, number, "generic")
        return story

    async def asked(self, number: str = NUMBER) -> tuple[Story, PolicyDecision]:
        story = await self.story(number)
        decision = await story.decided(Verdict.APPROVAL_NEEDED)
        await story.asked(decision)
        return story, decision

    @property
    def door_keys(self) -> DoorKeys:
        return DoorKeys(PostgresKeyStore(self.databases.key_door), MASTER_KEY)


def an_app(
    databases: Databases, door_keys: DoorKeys, patience_s: float = 9.0, public_url: str = ""
) -> FastAPI:
    elsewhere = Elsewhere(
        public_url=public_url,
        temporal_ui_url="http://127.0.0.1:8233",
        slack_message_url="https://slack.test/{team}/{channel}/{ts}",
    )
    pages = page_doors(databases.door, PostgresKeyStore(databases.key_door), MASTER_KEY, elsewhere)
    doors = Doors(
        hooks=DoorHooks(databases.door, door_keys),
        inbox=DoorInbox(databases.door, door_keys),
        teams=DoorTeams(databases.door),
        store_answers=databases.door.ping,
        pages=replace(pages, patience_s=patience_s),
    )
    return create_app(doors)


@pytest.fixture
def pages_app(databases: Databases, door_keys: DoorKeys) -> FastAPI:
    return an_app(databases, door_keys)


async def an_office(
    databases: Databases, registry: TenantRegistry, keys: EnvelopeKeys, app: FastAPI, name: str = "Ada Brown"
) -> Office:
    tenant_id = await a_tenant(registry)
    entry = PrincipalEntry(
        name=name, slack_team_id="T1", slack_user_id=f"U{uuid4().hex[:8]}", groups=(GROUP,)
    )
    await registry.put_principal(tenant_id, entry)
    helpdesk = HelpdeskEntry(
        slug=f"slug-{tenant_id.hex}",
        base_url="http://127.0.0.1:9/api",
        ticket_url="https://desk.test/tickets/{number}",
        api_token=SecretStr("hd_invented"),
        webhook_secrets=(SecretStr(SECRET),),
    )
    await registry.put_helpdesk(tenant_id, a_configuration(tenant_id).name, helpdesk)
    team = f"T{tenant_id.hex[:10].upper()}"
    slack = SlackEntry(team_id=team, channel_id="C0SUPPORT", bot_token=SecretStr("xoxb-invented"))
    await registry.put_slack(tenant_id, slack)
    [teammate] = await Logins(databases.owner, keys).teammates(tenant_id)
    return Office(databases, registry, keys, app, tenant_id, teammate)


@pytest.fixture
async def office(
    databases: Databases, registry: TenantRegistry, keys: EnvelopeKeys, pages_app: FastAPI
) -> Office:
    return await an_office(databases, registry, keys, pages_app)


@pytest.fixture
async def other_office(
    databases: Databases, registry: TenantRegistry, keys: EnvelopeKeys, pages_app: FastAPI
) -> Office:
    return await an_office(databases, registry, keys, pages_app, "Grace Hill")


@contextmanager
def counted(*databases: object) -> Iterator[list[str]]:
    """Every statement that these databases are asked in the block."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engines = [database._engine.sync_engine for database in databases]  # type: ignore[attr-defined]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def form_token_in(html: str) -> str:
    """Of the first form on the page."""
    return html.partition('name="form_token" value="')[2].partition('"')[0]
