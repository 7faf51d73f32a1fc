"""Gives teammates a way in and takes it away again. Works as `owner`: no process that serves can do this."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.keys import EnvelopeKeys, aad_of, open_sealed, sealed_by
from adapters.postgres.directory import DirectoryKind, directory_digest
from adapters.postgres.session import Database
from adapters.postgres.tables import api_tokens, principals
from domain.model import Code, RecordId

LINK_LIFE = timedelta(minutes=15)
SECRET_BYTES = 32

LIST_IN_DIRECTORY = text(
    "insert into directory (kind, key_digest, tenant_id) values (:kind, :digest, :tenant)"
)
ADD_TOKEN = text("""
    insert into api_tokens (tenant_id, principal_id, token_digest, roles)
    values (:tenant, :principal, :digest, :roles) returning id
""")
REVOKE = text("""
    update api_tokens set revoked_at = now()
     where tenant_id = :tenant and id = :token and revoked_at is null returning token_digest, principal_id
""")
UNLIST = text("delete from directory where kind = :kind and key_digest = :digest and tenant_id = :tenant")
ADD_LINK = text("""
    insert into login_links (tenant_id, secret_digest, principal_id, expires_at)
    values (:tenant, :digest, :principal, now() + :life)
""")
FORGET_LINKS = text("""
    with gone as (delete from login_links
        where tenant_id = :tenant and (expires_at < now() or used_at is not null) returning secret_digest)
    delete from directory where kind = 'link' and tenant_id = :tenant
        and key_digest in (select secret_digest from gone)
""")
AUDIT = text("""
    insert into audit_events (tenant_id, kind, content)
    values (:tenant, :kind,
        jsonb_build_object('principal', cast(:principal as text), 'token', cast(:token as text)))
""")


@dataclass(frozen=True)
class Teammate:
    """Who can be given a way in."""

    id: RecordId
    name: str
    slack_user_id: str
    groups: tuple[Code, ...]
    roles: tuple[Code, ...]

    @property
    def is_retired(self) -> bool:
        """Named by old votes only."""
        return not self.groups and not self.roles


@dataclass(frozen=True)
class IssuedToken:
    """A token without its secret."""

    id: UUID
    principal_id: RecordId
    created_at: datetime
    revoked_at: datetime | None


class Logins:
    """Tokens and links of one installation."""

    def __init__(self, database: Database, keys: EnvelopeKeys) -> None:
        self._database = database
        self._keys = keys

    async def teammates(self, tenant_id: UUID) -> Sequence[Teammate]:
        """By name; the retired ones too."""
        query = select(principals).where(principals.c.tenant_id == tenant_id)
        async with self._database.transaction(tenant_id) as session:
            rows = (await session.execute(query)).all()
        found = []
        for row in rows:
            key = await self._keys.tenant_key_by_id(tenant_id, sealed_by(row.name))
            name = open_sealed(key, row.name, aad_of(tenant_id, "principal", row.slack_user_id)).decode()
            found.append(Teammate(row.id, name, row.slack_user_id, tuple(row.groups), tuple(row.roles)))
        return sorted(found, key=lambda teammate: teammate.name)

    async def tokens(self, tenant_id: UUID) -> Sequence[IssuedToken]:
        """The newest first, revoked ones too."""
        query = (
            select(api_tokens)
            .where(api_tokens.c.tenant_id == tenant_id)
            .order_by(api_tokens.c.created_at.desc(), api_tokens.c.id)
        )
        async with self._database.transaction(tenant_id) as session:
            rows = (await session.execute(query)).all()
        return [IssuedToken(row.id, row.principal_id, row.created_at, row.revoked_at) for row in rows]

    async def issue_token(self, tenant_id: UUID, teammate: Teammate) -> tuple[UUID, str]:
        """Its id and the secret, which is kept nowhere. What it may do is looked up at each use."""
        token = "cs_" + secrets.token_urlsafe(SECRET_BYTES)
        digest = directory_digest(token)
        async with self._database.transaction(tenant_id) as session:
            await _list(session, tenant_id, DirectoryKind.API_TOKEN, digest)
            values = {"tenant": tenant_id, "principal": teammate.id, "digest": digest}
            added = await session.execute(ADD_TOKEN, values | {"roles": list(teammate.roles)})
            token_id: UUID = added.scalar_one()
            await _audit(session, tenant_id, "token_issued", teammate.id, token_id)
        return token_id, token

    async def revoke_token(self, tenant_id: UUID, token_id: UUID) -> bool:
        """Its sessions end with it, at their next request. False where there is no such token."""
        async with self._database.transaction(tenant_id) as session:
            values = {"tenant": tenant_id, "token": token_id}
            revoked = (await session.execute(REVOKE, values)).first()
            if revoked is None:
                return False
            listed = {"kind": DirectoryKind.API_TOKEN, "digest": revoked.token_digest, "tenant": tenant_id}
            await session.execute(UNLIST, listed)
            await _audit(session, tenant_id, "token_revoked", revoked.principal_id, token_id)
        return True

    async def issue_link(self, tenant_id: UUID, teammate: Teammate) -> str:
        """The secret part of an address that logs the teammate in once, within a quarter of an hour."""
        link = secrets.token_urlsafe(SECRET_BYTES)
        digest = directory_digest(link)
        async with self._database.transaction(tenant_id) as session:
            await session.execute(FORGET_LINKS, {"tenant": tenant_id})
            await _list(session, tenant_id, DirectoryKind.LINK, digest)
            values = {"tenant": tenant_id, "principal": teammate.id, "digest": digest, "life": LINK_LIFE}
            await session.execute(ADD_LINK, values)
            await _audit(session, tenant_id, "login_link_issued", teammate.id, None)
        return link


async def _list(session: AsyncSession, tenant_id: UUID, kind: DirectoryKind, digest: bytes) -> None:
    await session.execute(LIST_IN_DIRECTORY, {"kind": kind, "digest": digest, "tenant": tenant_id})


async def _audit(
    session: AsyncSession, tenant_id: UUID, kind: str, principal: RecordId, token_id: UUID | None
) -> None:
    values = {"tenant": tenant_id, "kind": kind, "principal": principal}
    await session.execute(AUDIT, values | {"token": str(token_id) if token_id else None})
