"""Published policies, as those who publish and audit them see them. Runs as `owner`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.policy.bundle import Bundle, Level
from adapters.policy.line_diff import line_diff
from adapters.policy.published import Published, read_published
from adapters.policy.reserved import refuse_reserved
from adapters.postgres.session import Database
from adapters.postgres.tables import audit_events, policy_pointers, policy_versions
from domain.errors import BundleRefused
from domain.model import Digest, RecordId


@dataclass(frozen=True)
class Place:
    """Whose policy, and of which agent: empty for the level of the organisation or the tenant."""

    tenant_id: UUID
    agent: str = ""


@dataclass(frozen=True)
class TestRun:
    """The tables that a file passed: how many, their rows, and the digest of their texts."""

    __test__ = False

    tables: int
    rows: int
    digest: Digest


@dataclass(frozen=True)
class Publication:
    """Who wrote a file, who read it, and why. An author that is None is whoever operates the installation."""

    author: RecordId | None = None
    reviewers: Sequence[RecordId] = ()
    reason: str = ""
    test_run: TestRun | None = None


@dataclass(frozen=True)
class Listed:
    """A version as auditors see it."""

    version: Digest
    level: Level
    agent: str
    published_at: datetime
    publication: Publication
    replaces: Digest | None
    diff: str = field(repr=False)
    kinds: Sequence[str]  # of the pointers that name it


class NoSuchVersion(Exception):
    """Nothing, or too much, is published under the name."""

    def __init__(self, version: str, found: int) -> None:
        what = "is not published here" if not found else f"could be any of {found} versions. Write more of it"
        super().__init__(f"Version {version!r} {what}")


class PolicyRegister:
    """Publishes versions, which never change. No process that serves tickets can."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, place: Place, file: Published, publication: Publication) -> bool:
        """Whether it was new. Repeating is safe: who published a version first stays its author.

        Raises `BundleRefused`.
        """
        bundle = read_published(file.content)
        refuse_reserved(bundle)
        async with self._database.transaction(place.tenant_id) as session:
            replaced = await pointed_at(session, place, "active")
            addition = insert(policy_versions).values(
                tenant_id=place.tenant_id,
                id=file.version,
                content=file.content,
                level=file.level,
                agent=file.agent,
                replaces=replaced,
                diff=await _diff(session, place, replaced, bundle),
                **_signed(publication),
            )
            added = await session.execute(addition.on_conflict_do_nothing().returning(policy_versions.c.id))
            is_new = added.first() is not None
            if is_new:
                await audit(
                    session, place, "policy_published", {"version": file.version, **_said(publication)}
                )
        return is_new

    async def active(self, place: Place) -> Digest | None:
        """What the pointer names."""
        async with self._database.transaction(place.tenant_id) as session:
            return await pointed_at(session, place, "active")

    async def listed(self, tenant_id: UUID) -> Sequence[Listed]:
        """Every version of a tenant or of the organisation, newest first."""
        kinds = (
            select(func.array_agg(policy_pointers.c.kind))
            .where(
                policy_pointers.c.tenant_id == policy_versions.c.tenant_id,
                policy_pointers.c.agent == policy_versions.c.agent,
                policy_pointers.c.version_id == policy_versions.c.id,
            )
            .scalar_subquery()
        )
        query = (
            select(policy_versions, kinds.label("kinds"))
            .where(policy_versions.c.tenant_id == tenant_id)
            .order_by(policy_versions.c.published_at.desc(), policy_versions.c.id)
        )
        async with self._database.transaction(tenant_id) as session:
            rows = (await session.execute(query)).all()
        return [_listed(row) for row in rows]

    async def find(self, place: Place, prefix: str) -> Listed:
        """The one version that begins so, with or without `sha256:`. Raises `NoSuchVersion`."""
        wanted = prefix.removeprefix("sha256:")
        found = [
            each
            for each in await self.listed(place.tenant_id)
            if each.agent == place.agent and each.version.removeprefix("sha256:").startswith(wanted)
        ]
        if len(found) != 1:
            raise NoSuchVersion(prefix, len(found))
        return found[0]

    async def file(self, place: Place, version: Digest) -> Bundle:
        """What was published. Raises `NoSuchVersion`; `BundleRefused` where this release cannot read it."""
        async with self._database.transaction(place.tenant_id) as session:
            return read_published(await content_of(session, place, version))


async def pointed_at(session: AsyncSession, place: Place, kind: str) -> Digest | None:
    """What a pointer names."""
    query = select(policy_pointers.c.version_id).where(
        policy_pointers.c.tenant_id == place.tenant_id,
        policy_pointers.c.agent == place.agent,
        policy_pointers.c.kind == kind,
    )
    version: str | None = (await session.execute(query)).scalar_one_or_none()
    return version


async def content_of(session: AsyncSession, place: Place, version: Digest) -> str:
    """Raises `NoSuchVersion`."""
    query = select(policy_versions.c.content).where(
        policy_versions.c.tenant_id == place.tenant_id,
        policy_versions.c.agent == place.agent,
        policy_versions.c.id == version,
    )
    content: str | None = (await session.execute(query)).scalar_one_or_none()
    if content is None:
        raise NoSuchVersion(version, 0)
    return content


async def move_pointer(session: AsyncSession, place: Place, kind: str, version: Digest, **who: Any) -> None:
    """Everybody who listens is told at the commit."""
    values = {"tenant_id": place.tenant_id, "agent": place.agent, "kind": kind, "version_id": version, **who}
    move = insert(policy_pointers).values(**values)
    moved = {"version_id": version, "moved_at": func.now(), "moved_by": None, "second": None, **who}
    await session.execute(
        move.on_conflict_do_update(index_elements=list(policy_pointers.primary_key), set_=moved)
    )


async def audit(session: AsyncSession, place: Place, kind: str, content: dict[str, Any]) -> None:
    """In the transaction that does it."""
    of = {"agent": place.agent} if place.agent else {}
    await session.execute(
        insert(audit_events).values(tenant_id=place.tenant_id, kind=kind, content={**content, **of})
    )


async def _diff(session: AsyncSession, place: Place, replaced: Digest | None, bundle: Bundle) -> str:
    try:
        before = read_published(await content_of(session, place, replaced)) if replaced else None
    except BundleRefused:
        before = None  # an earlier release wrote it, and this one cannot read it: all of it is new
    return line_diff(before, bundle)


def _signed(publication: Publication) -> dict[str, Any]:
    run = publication.test_run
    return {
        "author": publication.author,
        "reviewers": list(publication.reviewers),
        "reason": publication.reason,
        "test_run": vars(run) if run else None,
    }


def _said(publication: Publication) -> dict[str, Any]:
    """For the audit trail, which has no free text."""
    return {name: value for name, value in _signed(publication).items() if name != "reason"}


def _listed(row: Any) -> Listed:
    run = TestRun(**row.test_run) if row.test_run else None
    return Listed(
        version=row.id,
        level=Level(row.level),
        agent=row.agent,
        published_at=row.published_at,
        publication=Publication(row.author, tuple(row.reviewers), row.reason, run),
        replaces=row.replaces,
        diff=row.diff,
        kinds=tuple(sorted(row.kinds or ())),
    )
