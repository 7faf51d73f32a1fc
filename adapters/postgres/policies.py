"""Policy bundles of a tenant: immutable versions and the pointer to the active one."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Database
from adapters.postgres.tables import audit_events, policy_pointers, policy_versions
from domain.errors import BundleRefused
from domain.model import Digest


@dataclass(frozen=True)
class StoredPolicy:
    """A bundle as it was published; `version` is the digest its compiler gave it."""

    version: Digest
    content: str


class PolicyStore:
    """Reads as `app`; publishes and activates as `owner`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def active(self, tenant_id: UUID) -> StoredPolicy | None:
        """The bundle the pointer names; None where there is none, which means deny."""
        query = (
            select(policy_versions.c.id, policy_versions.c.content)
            .join(
                policy_pointers,
                (policy_pointers.c.tenant_id == policy_versions.c.tenant_id)
                & (policy_pointers.c.version_id == policy_versions.c.id),
            )
            .where(policy_versions.c.tenant_id == tenant_id, policy_pointers.c.kind == "active")
        )
        async with self._database.transaction(tenant_id) as session:
            row = (await session.execute(query)).first()
        return StoredPolicy(row.id, row.content) if row else None

    async def active_version(self, tenant_id: UUID) -> Digest | None:
        """Only the pointer: cheap enough to ask before every decision."""
        query = select(policy_pointers.c.version_id).where(
            policy_pointers.c.tenant_id == tenant_id, policy_pointers.c.kind == "active"
        )
        async with self._database.transaction(tenant_id) as session:
            version: str | None = (await session.execute(query)).scalar_one_or_none()
        return version

    async def content(self, tenant_id: UUID, version: Digest) -> str:
        """What was published under this version. Raises `BundleRefused` where nothing was."""
        query = select(policy_versions.c.content).where(
            policy_versions.c.tenant_id == tenant_id, policy_versions.c.id == version
        )
        async with self._database.transaction(tenant_id) as session:
            found: str | None = (await session.execute(query)).scalar_one_or_none()
        if found is None:
            raise BundleRefused("its version was never published")
        return found

    async def publish(self, tenant_id: UUID, policy: StoredPolicy) -> None:
        """Repeating is safe; a version never changes. Raises `BundleRefused` for another content."""
        addition = insert(policy_versions).values(
            tenant_id=tenant_id, id=policy.version, content=policy.content
        )
        known = select(policy_versions.c.content).where(
            policy_versions.c.tenant_id == tenant_id, policy_versions.c.id == policy.version
        )
        async with self._database.transaction(tenant_id) as session:
            await session.execute(addition.on_conflict_do_nothing())
            if (await session.execute(known)).scalar_one() != policy.content:
                raise BundleRefused("its version is already published with another content")

    async def activate(self, tenant_id: UUID, version: Digest) -> None:
        """Moves the pointer of a published version and audits the move."""
        move = insert(policy_pointers).values(tenant_id=tenant_id, kind="active", version_id=version)
        moved = move.on_conflict_do_update(
            index_elements=list(policy_pointers.primary_key),
            set_={"version_id": move.excluded.version_id, "moved_at": func.now()},
        )
        audited = insert(audit_events).values(
            tenant_id=tenant_id, kind="policy_activated", content={"version": version}
        )
        async with self._database.transaction(tenant_id) as session:
            await session.execute(moved)
            await session.execute(audited)
