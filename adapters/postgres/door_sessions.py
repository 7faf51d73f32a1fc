"""Who is logged in (role `door`): tokens, one-time links and sessions, each found by a digest of its secret.

Nothing is remembered: a token revoked, a session ended or a teammate retired is refused by the next request.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.directory import Directory, DirectoryKind, directory_digest
from adapters.postgres.session import Database
from domain.model import Code, RecordId

SESSION_LIFE = timedelta(hours=12)
SECRET_BYTES = 32

# A retired teammate keeps a row without groups and roles, because votes name it; that opens nothing.
ENTITLED = "(cardinality(p.groups) > 0 or cardinality(p.roles) > 0)"
OF_TOKEN = text(f"""
    select t.id as token_id, t.token_digest as digest, p.id, p.groups, p.roles
      from api_tokens t join principals p on p.tenant_id = t.tenant_id and p.id = t.principal_id
     where t.tenant_id = :tenant and t.token_digest = :digest and t.revoked_at is null and {ENTITLED}
""")  # noqa: S608 - our own words only
OF_SESSION = text(f"""
    select s.secret_digest as digest, p.id, p.groups, p.roles
      from sessions s join principals p on p.tenant_id = s.tenant_id and p.id = s.principal_id
      left join api_tokens t on t.tenant_id = s.tenant_id and t.id = s.token_id
     where s.tenant_id = :tenant and s.secret_digest = :digest and s.ended_at is null and s.expires_at > now()
       and (s.token_id is null or t.revoked_at is null and t.id is not null) and {ENTITLED}
""")  # noqa: S608 - the same
USE_LINK = text("""
    update login_links set used_at = now()
     where tenant_id = :tenant and secret_digest = :digest and used_at is null and expires_at > now()
    returning principal_id
""")
OF_PRINCIPAL = text(f"""
    select p.id, p.groups, p.roles from principals p
     where p.tenant_id = :tenant and p.id = :principal and {ENTITLED}
""")  # noqa: S608 - the same
OPEN = text("""
    insert into sessions (tenant_id, secret_digest, principal_id, token_id, expires_at)
    values (:tenant, :digest, :principal, :token, now() + :life)
""")
FORGET_OLD = text("delete from sessions where tenant_id = :tenant and expires_at < now()")
END = text("""
    update sessions set ended_at = now()
     where tenant_id = :tenant and secret_digest = :digest and ended_at is null
""")
AUDIT = text("""
    insert into audit_events (tenant_id, kind, content)
    values (:tenant, 'principal_logged_in',
        jsonb_build_object('principal', cast(:principal as text), 'by', cast(:by as text)))
""")


@dataclass(frozen=True)
class Principal:
    """A teammate who proved who they are, and what they are entitled to now."""

    tenant_id: UUID
    principal_id: RecordId
    groups: tuple[Code, ...]
    roles: tuple[Code, ...]


@dataclass(frozen=True, repr=False)
class SessionSecret:
    """What the cookie holds. The tenant is part of it, so that only its rows are looked at."""

    tenant_id: UUID
    secret: str

    def __str__(self) -> str:
        """The cookie's value."""
        return f"{self.tenant_id.hex}.{self.secret}"

    @property
    def digest(self) -> bytes:
        """What is stored of it."""
        return hashlib.sha256(f"session\n{self}".encode()).digest()

    @property
    def form_token(self) -> str:
        """What our own forms carry: whoever can make it has the cookie already."""
        return hmac.new(self.secret.encode(), b"form", hashlib.sha256).hexdigest()

    @classmethod
    def parse(cls, cookie: str) -> "SessionSecret | None":
        """None for anything that we have not written."""
        tenant, dot, secret = cookie.partition(".")
        shaped = len(tenant) == UUID_DIGITS and secret.isascii() and 0 < len(secret) <= LONGEST_SECRET
        try:
            return cls(UUID(hex=tenant), secret) if dot and shaped else None
        except ValueError:
            return None


UUID_DIGITS = 32
LONGEST_SECRET = 64


class DoorSessions:
    """Works as `door`, which adds and ends sessions, uses links, and changes no token."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._directory = Directory(database)

    async def of_token(self, token: str) -> Principal | None:
        """None for a token that is unknown or revoked, or whose owner was retired."""
        return (await self._token(token))[0]

    async def of_session(self, session: SessionSecret) -> Principal | None:
        """None for a session that is unknown, ended, over, or whose token was revoked."""
        values = {"tenant": session.tenant_id, "digest": session.digest}
        async with self._database.transaction(session.tenant_id) as transaction:
            row = (await transaction.execute(OF_SESSION, values)).first()
        if row is None or not hmac.compare_digest(row.digest, session.digest):
            return None
        return Principal(session.tenant_id, row.id, tuple(row.groups), tuple(row.roles))

    async def open_by_token(self, token: str) -> SessionSecret | None:
        """A new session of the token's owner; it ends with the token."""
        principal, token_id = await self._token(token)
        if principal is None:
            return None
        async with self._database.transaction(principal.tenant_id) as transaction:
            return await _open(transaction, principal, "token", token_id)

    async def open_by_link(self, link: str) -> SessionSecret | None:
        """A new session; the link is used up in the same transaction."""
        tenant_id = await self._directory.tenant_of(DirectoryKind.LINK, link)
        if tenant_id is None:
            return None
        async with self._database.transaction(tenant_id) as transaction:
            values = {"tenant": tenant_id, "digest": directory_digest(link)}
            used = (await transaction.execute(USE_LINK, values)).first()
            if used is None:
                return None
            named = {"tenant": tenant_id, "principal": used.principal_id}
            row = (await transaction.execute(OF_PRINCIPAL, named)).first()
            if row is None:
                return None
            principal = Principal(tenant_id, row.id, tuple(row.groups), tuple(row.roles))
            return await _open(transaction, principal, "link", None)

    async def end(self, session: SessionSecret) -> None:
        """Repeating is safe."""
        values = {"tenant": session.tenant_id, "digest": session.digest}
        async with self._database.transaction(session.tenant_id) as transaction:
            await transaction.execute(END, values)

    async def _token(self, token: str) -> tuple[Principal | None, UUID | None]:
        tenant_id = await self._directory.tenant_of(DirectoryKind.API_TOKEN, token)
        if tenant_id is None:
            return None, None
        digest = directory_digest(token)
        async with self._database.transaction(tenant_id) as transaction:
            row = (await transaction.execute(OF_TOKEN, {"tenant": tenant_id, "digest": digest})).first()
        if row is None or not hmac.compare_digest(row.digest, digest):
            return None, None
        return Principal(tenant_id, row.id, tuple(row.groups), tuple(row.roles)), row.token_id


async def _open(
    transaction: AsyncSession, principal: Principal, by: str, token_id: UUID | None
) -> SessionSecret:
    session = SessionSecret(principal.tenant_id, secrets.token_urlsafe(SECRET_BYTES))
    await transaction.execute(FORGET_OLD, {"tenant": principal.tenant_id})
    await transaction.execute(
        OPEN,
        {
            "tenant": principal.tenant_id,
            "digest": session.digest,
            "principal": principal.principal_id,
            "token": token_id,
            "life": SESSION_LIFE,
        },
    )
    named = {"tenant": principal.tenant_id, "principal": principal.principal_id, "by": by}
    await transaction.execute(AUDIT, named)
    return session
