"""Webhook addresses and Slack workspaces of all tenants, as the door reads them, remembered for seconds."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from adapters.keys import DoorKeys
from adapters.postgres.connections import DoorConnections
from adapters.postgres.directory import Directory, DirectoryKind
from adapters.postgres.session import Database
from adapters.recent import Recent

REMEMBER = 4096
REMEMBER_S = 5.0
# A wrong signature may mean a new secret, but must not cost a query each.
LOOK_AGAIN_AFTER_S = 1.0


class HookAddress(NamedTuple):
    """Where a helpdesk knocks. The slug is a secret part of it."""

    tenant: str
    source: str
    slug: str


@dataclass(frozen=True, repr=False)
class Hook:
    """What is needed to judge and route a delivery."""

    tenant_id: UUID
    secrets: tuple[str, ...]
    routing_secret: bytes


class DoorHooks:
    """Which webhook addresses exist. What does not exist is not remembered: it may be added any moment."""

    def __init__(self, database: Database, keys: DoorKeys) -> None:
        self._directory = Directory(database)
        self._connections = DoorConnections(database, keys)
        self._recent: Recent[HookAddress, Hook] = Recent(REMEMBER, REMEMBER_S)
        self._just_read: Recent[HookAddress, bool] = Recent(REMEMBER, LOOK_AGAIN_AFTER_S)

    async def find(self, address: HookAddress) -> Hook | None:
        """None where there is no such address."""
        return self._recent.get(address) or await self._read(address)

    async def refreshed(self, address: HookAddress) -> Hook | None:
        """The same, not from memory (at most once a second): a secret may have been rotated."""
        known = self._recent.get(address)
        if known and self._just_read.get(address):
            return known
        return await self._read(address)

    async def _read(self, address: HookAddress) -> Hook | None:
        tenant_id = await self._directory.tenant_of(DirectoryKind.HOOK, *address)
        found = await self._connections.webhook(tenant_id, address.source) if tenant_id else None
        if tenant_id is None or found is None:
            self._recent.forget(address)
            return None
        hook = Hook(tenant_id, *found)
        self._recent.put(address, hook)
        self._just_read.put(address, True)  # noqa: FBT003 - a value, not a flag
        return hook


class DoorTeams:
    """Which Slack workspaces are installed."""

    def __init__(self, database: Database) -> None:
        self._directory = Directory(database)
        self._recent: Recent[str, UUID] = Recent(REMEMBER, REMEMBER_S)

    async def tenant_of(self, team_id: str) -> UUID | None:
        """None for a workspace that nobody has connected."""
        known = self._recent.get(team_id)
        if known:
            return known
        tenant_id = await self._directory.tenant_of(DirectoryKind.SLACK_TEAM, team_id)
        if tenant_id:
            self._recent.put(team_id, tenant_id)
        return tenant_id
