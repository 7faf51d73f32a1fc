"""How to reach a tenant's systems: addresses and opened secrets, remembered for seconds."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from adapters.http import Endpoint
from adapters.keys import DoorKeys, EnvelopeKeys, aad_of, open_sealed, sealed_by
from adapters.postgres.session import Database
from adapters.postgres.tables import (
    helpdesk_connections,
    provider_connections,
    slack_installations,
    tenants,
)
from adapters.recent import Recent
from adapters.slack.client import SlackInstallation

REMEMBER_S = 5.0
REMEMBER = 4096


class NotConnected(Exception):
    """The tenant has not been given this connection."""

    def __init__(self, tenant_id: UUID, what: str) -> None:
        super().__init__(f"Tenant {tenant_id} has no {what} connection. Add it to the tenant file")


class Connections:
    """A tenant's systems, for the worker (role `app`). All raise `NotConnected`."""

    def __init__(self, database: Database, keys: EnvelopeKeys) -> None:
        self._database = database
        self._keys = keys
        self._recent: Recent[tuple[str, UUID], Any] = Recent(REMEMBER, REMEMBER_S)

    async def helpdesk(self, tenant_id: UUID, source: str = "generic") -> Endpoint:
        """Where the helpdesk answers."""
        table = helpdesk_connections
        query = select(table.c.base_url, table.c.api_token.label("token")).where(
            table.c.tenant_id == tenant_id, table.c.source == source
        )
        return await self._endpoint(tenant_id, f"helpdesk/{source}", query)

    async def shop(self, tenant_id: UUID) -> Endpoint:
        """Where orders are read."""
        return await self._provider(tenant_id, "shop")

    async def payments(self, tenant_id: UUID) -> Endpoint:
        """Where refunds go."""
        return await self._provider(tenant_id, "payments")

    async def slack(self, tenant_id: UUID) -> SlackInstallation:
        """The workspace and its support channel."""
        known: SlackInstallation | None = self._recent.get(("slack", tenant_id))
        if known:
            return known
        query = select(slack_installations).where(slack_installations.c.tenant_id == tenant_id)
        row = await self._row(tenant_id, "slack", query)
        token = await self._opened(tenant_id, f"slack/{row.team_id}", row.bot_token)
        installation = SlackInstallation(row.team_id, row.channel_id, token)
        self._recent.put(("slack", tenant_id), installation)
        return installation

    async def _provider(self, tenant_id: UUID, kind: str) -> Endpoint:
        table = provider_connections
        query = select(table.c.base_url, table.c.token).where(
            table.c.tenant_id == tenant_id, table.c.kind == kind
        )
        return await self._endpoint(tenant_id, kind, query)

    async def _endpoint(self, tenant_id: UUID, what: str, query: Select[Any]) -> Endpoint:
        known: Endpoint | None = self._recent.get((what, tenant_id))
        if known:
            return known
        row = await self._row(tenant_id, what, query)
        endpoint = Endpoint(row.base_url, await self._opened(tenant_id, what, row.token))
        self._recent.put((what, tenant_id), endpoint)
        return endpoint

    async def _row(self, tenant_id: UUID, what: str, query: Select[Any]) -> Any:
        async with self._database.transaction(tenant_id) as session:
            row = (await session.execute(query)).first()
        if row is None:
            raise NotConnected(tenant_id, what)
        return row

    async def _opened(self, tenant_id: UUID, what: str, sealed: bytes) -> str:
        key = await self._keys.tenant_key_by_id(tenant_id, sealed_by(sealed))
        return open_sealed(key, sealed, connection_aad(tenant_id, what)).decode()


class DoorConnections:
    """What the door needs to judge and route a delivery (role `door`)."""

    def __init__(self, database: Database, keys: DoorKeys) -> None:
        self._database = database
        self._keys = keys

    async def webhook(self, tenant_id: UUID, source: str) -> tuple[tuple[str, ...], bytes] | None:
        """The active webhook secrets and the routing secret; None where the source is not connected."""
        table = helpdesk_connections
        query = (
            select(table.c.webhook_secrets, tenants.c.routing_secret)
            .join_from(table, tenants, table.c.tenant_id == tenants.c.tenant_id)
            .where(table.c.tenant_id == tenant_id, table.c.source == source)
        )
        async with self._database.transaction(tenant_id) as session:
            row = (await session.execute(query)).first()
        if row is None:
            return None
        key = await self._keys.door_key(tenant_id)
        listed = open_sealed(key, row.webhook_secrets, webhook_aad(tenant_id, source))
        return tuple(json.loads(listed)), open_sealed(key, row.routing_secret, routing_aad(tenant_id))


def connection_aad(tenant_id: UUID, what: str) -> bytes:
    """Binds a token to its tenant and connection."""
    return aad_of(tenant_id, "connection", what)


def webhook_aad(tenant_id: UUID, source: str) -> bytes:
    """Binds webhook secrets to their tenant and source."""
    return aad_of(tenant_id, "webhook", source)


def routing_aad(tenant_id: UUID) -> bytes:
    """Binds a routing secret to its tenant."""
    return aad_of(tenant_id, "routing")
