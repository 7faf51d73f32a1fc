"""Registers tenants and everything that belongs to them. Every method may be repeated.

Runs as `owner` with the key role `key_app`: no process that serves tickets can change a tenant.
"""

import json
import secrets
from collections.abc import Collection
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.door_keys import name_aad
from adapters.keys import EnvelopeKeys, aad_of, seal
from adapters.postgres.connections import connection_aad, routing_aad, webhook_aad
from adapters.postgres.directory import Directory, DirectoryKind, directory_digest
from adapters.postgres.policies import ORGANISATION
from adapters.postgres.session import Database
from adapters.postgres.tables import (
    audit_events,
    directory,
    helpdesk_connections,
    principals,
    provider_connections,
    slack_installations,
    tenants,
)
from domain.conversation import TextModel
from domain.model import Code, RecordId
from domain.ports import TenantConfiguration

ROUTING_SECRET_BYTES = 32


class AlreadyRegistered(Exception):
    """Another tenant has this name, webhook address or Slack workspace."""

    def __init__(self, kind: DirectoryKind) -> None:
        super().__init__(f"Another tenant is registered under this {kind}. Choose another one")


class PrincipalEntry(TextModel):
    """A teammate: who they are in Slack and what they may do."""

    name: str
    slack_team_id: str
    slack_user_id: str
    groups: tuple[Code, ...] = ()
    roles: tuple[Code, ...] = ()


class HelpdeskEntry(TextModel):
    """A helpdesk that knocks at `/hooks/{tenant}/{source}/{slug}` and is answered at `base_url`."""

    source: Code = "generic"
    slug: str
    base_url: str
    ticket_url: str | None = None  # where people open a ticket, with {number} in it
    api_token: SecretStr
    webhook_secrets: tuple[SecretStr, ...]  # every active one


class SlackEntry(TextModel):
    """An installed Slack app and the support channel."""

    team_id: str
    channel_id: str
    bot_token: SecretStr


class ProviderEntry(TextModel):
    """A shop or payment provider."""

    base_url: str
    token: SecretStr


class TenantRegistry:
    """Adds tenants, or brings them to what the tenant file says."""

    def __init__(self, database: Database, keys: EnvelopeKeys) -> None:
        self._database = database
        self._keys = keys

    async def find(self, name: str) -> UUID | None:
        """The tenant's id by its name."""
        return await Directory(self._database).tenant_of(DirectoryKind.NAME, name)

    async def put_tenant(self, configuration: TenantConfiguration) -> None:
        """Creates the tenant with its keys and routing secret, or replaces its configuration."""
        tenant_id = configuration.tenant_id
        await self._keys.add_tenant_keys(tenant_id)
        door = await self._keys.door_key(tenant_id)
        values = {
            "tenant_id": tenant_id,
            "name": configuration.name,
            "mode": configuration.settings.mode,
            "configuration": configuration.model_dump(mode="json"),
            "routing_secret": seal(door, secrets.token_bytes(ROUTING_SECRET_BYTES), routing_aad(tenant_id)),
        }
        async with self._database.transaction(tenant_id) as session:
            await _list(session, tenant_id, DirectoryKind.NAME, configuration.name)
            addition = insert(tenants).values(values)
            replaced = {"configuration": addition.excluded.configuration, "mode": addition.excluded.mode}
            await session.execute(
                addition.on_conflict_do_update(
                    index_elements=[tenants.c.tenant_id],
                    set_=replaced | {"version": tenants.c.version + 1, "updated_at": func.now()},
                    where=tenants.c.configuration != addition.excluded.configuration,
                )
            )

    async def add_organisation(self) -> None:
        """Keys for the names of its people. Repeating is safe."""
        await self._keys.add_tenant_keys(ORGANISATION)

    async def put_principal(self, tenant_id: UUID, entry: PrincipalEntry) -> RecordId:
        """The teammate's id, the same for the same Slack user."""
        key = await self._keys.tenant_key(tenant_id)
        principal_id = "principal_" + secrets.token_hex(12)
        addition = insert(principals).values(
            tenant_id=tenant_id,
            id=principal_id,
            slack_team_id=entry.slack_team_id,
            slack_user_id=entry.slack_user_id,
            name=seal(key, entry.name.encode(), aad_of(tenant_id, "principal", entry.slack_user_id)),
            groups=list(entry.groups),
            roles=list(entry.roles),
        )
        known = addition.on_conflict_do_update(
            index_elements=[principals.c.tenant_id, principals.c.slack_team_id, principals.c.slack_user_id],
            set_={name: addition.excluded[name] for name in ("name", "groups", "roles")},
        ).returning(principals.c.id)
        door = await self._keys.door_key(tenant_id)
        async with self._database.transaction(tenant_id) as session:
            kept = str((await session.execute(known)).scalar_one())
            shown = seal(door, entry.name.encode(), name_aad(tenant_id, kept))
            named = update(principals).where(principals.c.tenant_id == tenant_id, principals.c.id == kept)
            await session.execute(named.values(shown_name=shown))
        return kept

    async def retire_others(self, tenant_id: UUID, staying: Collection[RecordId]) -> None:
        """Whoever the file no longer names keeps a row, because votes name it, and may decide nothing."""
        leaving = update(principals).where(
            principals.c.tenant_id == tenant_id,
            principals.c.id.not_in(staying),
            (func.cardinality(principals.c.groups) > 0) | (func.cardinality(principals.c.roles) > 0),
        )
        retired = leaving.values(groups=[], roles=[]).returning(principals.c.id)
        async with self._database.transaction(tenant_id) as session:
            for principal in (await session.execute(retired)).scalars().all():
                values = {"tenant_id": tenant_id, "kind": "principal_retired", "content": {"id": principal}}
                await session.execute(insert(audit_events).values(values))

    async def put_helpdesk(self, tenant_id: UUID, name: str, entry: HelpdeskEntry) -> None:
        """`name` is the tenant's; it is part of the webhook address. An earlier slug stops working."""
        listed = json.dumps([secret.get_secret_value() for secret in entry.webhook_secrets]).encode()
        door = await self._keys.door_key(tenant_id)
        hook = directory_digest(name, entry.source, entry.slug)
        values = {
            "tenant_id": tenant_id,
            "source": entry.source,
            "base_url": entry.base_url,
            "ticket_url": entry.ticket_url,
            "api_token": await self._sealed(tenant_id, f"helpdesk/{entry.source}", entry.api_token),
            "webhook_secrets": seal(door, listed, webhook_aad(tenant_id, entry.source)),
            "hook_digest": hook,
        }
        async with self._database.transaction(tenant_id) as session:
            await _forget_hook(session, tenant_id, entry.source, hook)
            await _list(session, tenant_id, DirectoryKind.HOOK, name, entry.source, entry.slug)
            await _put(session, helpdesk_connections, values)

    async def put_slack(self, tenant_id: UUID, entry: SlackEntry) -> None:
        """Connects a workspace instead of an earlier one; it belongs to one tenant only."""
        values = {
            "tenant_id": tenant_id,
            "team_id": entry.team_id,
            "channel_id": entry.channel_id,
            "bot_token": await self._sealed(tenant_id, f"slack/{entry.team_id}", entry.bot_token),
        }
        async with self._database.transaction(tenant_id) as session:
            await _forget_teams(session, tenant_id)
            await _list(session, tenant_id, DirectoryKind.SLACK_TEAM, entry.team_id)
            await _put(session, slack_installations, values)

    async def put_shop(self, tenant_id: UUID, entry: ProviderEntry) -> None:
        """Where orders are read."""
        await self._put_provider(tenant_id, "shop", entry)

    async def put_payments(self, tenant_id: UUID, entry: ProviderEntry) -> None:
        """Where refunds go."""
        await self._put_provider(tenant_id, "payments", entry)

    async def _put_provider(self, tenant_id: UUID, kind: str, entry: ProviderEntry) -> None:
        values = {
            "tenant_id": tenant_id,
            "kind": kind,
            "base_url": entry.base_url,
            "token": await self._sealed(tenant_id, kind, entry.token),
        }
        async with self._database.transaction(tenant_id) as session:
            await _put(session, provider_connections, values)

    async def _sealed(self, tenant_id: UUID, what: str, secret: SecretStr) -> bytes:
        key = await self._keys.tenant_key(tenant_id)
        return seal(key, secret.get_secret_value().encode(), connection_aad(tenant_id, what))


async def _put(session: AsyncSession, table: Table, values: dict[str, Any]) -> None:
    addition = insert(table).values(values)
    others = {name: addition.excluded[name] for name in values if not table.c[name].primary_key}
    await session.execute(addition.on_conflict_do_update(index_elements=list(table.primary_key), set_=others))


async def _list(session: AsyncSession, tenant_id: UUID, kind: DirectoryKind, *key: str) -> None:
    digest = directory_digest(*key)
    values = {"kind": kind, "key_digest": digest, "tenant_id": tenant_id}
    await session.execute(insert(directory).values(values).on_conflict_do_nothing())
    holder = select(directory.c.tenant_id).where(directory.c.kind == kind, directory.c.key_digest == digest)
    if (await session.execute(holder)).scalar_one() != tenant_id:
        raise AlreadyRegistered(kind)


async def _forget_hook(session: AsyncSession, tenant_id: UUID, source: str, hook: bytes) -> None:
    earlier = select(helpdesk_connections.c.hook_digest).where(
        helpdesk_connections.c.tenant_id == tenant_id,
        helpdesk_connections.c.source == source,
        helpdesk_connections.c.hook_digest != hook,
    )
    await session.execute(
        directory.delete().where(
            directory.c.kind == DirectoryKind.HOOK, directory.c.key_digest.in_(earlier.scalar_subquery())
        )
    )


async def _forget_teams(session: AsyncSession, tenant_id: UUID) -> None:
    await session.execute(
        directory.delete().where(
            directory.c.kind == DirectoryKind.SLACK_TEAM, directory.c.tenant_id == tenant_id
        )
    )
    await session.execute(slack_installations.delete().where(slack_installations.c.tenant_id == tenant_id))
