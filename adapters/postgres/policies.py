"""Policies as decisions read them: what the pointers name, and what the levels were composed to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert

from adapters.policy.bundle import Level
from adapters.postgres.session import Database
from adapters.postgres.tables import policy_compositions, policy_pointers, policy_versions
from domain.errors import BundleRefused
from domain.model import Digest

ORGANISATION = UUID(int=0)  # whose rows every tenant reads


@dataclass(frozen=True)
class Pointers:
    """Which version of each level is in force, and which is tried."""

    active: Mapping[Level, Digest] = field(default_factory=dict)
    candidate: Mapping[Level, Digest] = field(default_factory=dict)


class PolicyStore:
    """Reads as `app`, and keeps what it composed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pointers(self, tenant_id: UUID, agent: str) -> Pointers:
        """One cheap question: it is asked before every decision."""
        query = select(
            policy_pointers.c.tenant_id,
            policy_pointers.c.kind,
            policy_pointers.c.agent,
            policy_pointers.c.version_id,
        ).where(
            policy_pointers.c.tenant_id.in_((tenant_id, ORGANISATION)),
            policy_pointers.c.agent.in_(("", agent)),
        )
        async with self._database.transaction(tenant_id) as session:
            rows = (await session.execute(query)).all()
        found: dict[str, dict[Level, Digest]] = {"active": {}, "candidate": {}}
        for row in rows:
            found[row.kind][level_of(row.tenant_id, row.agent)] = row.version_id
        return Pointers(found["active"], found["candidate"])

    async def contents(self, tenant_id: UUID, versions: Mapping[Level, Digest]) -> Mapping[Level, str]:
        """What was published under each. Raises `BundleRefused` where one was not."""
        named = [
            and_(policy_versions.c.tenant_id == owner_of(level, tenant_id), policy_versions.c.id == version)
            for level, version in versions.items()
        ]
        query = select(policy_versions.c.level, policy_versions.c.content).where(or_(*named))
        async with self._database.transaction(tenant_id) as session:
            rows = (await session.execute(query)).all()
        found = {Level(row.level): row.content for row in rows}
        if found.keys() != versions.keys():
            raise BundleRefused("its version was never published")
        return found

    async def keep(self, tenant_id: UUID, version: Digest, content: str) -> None:
        """What is about to decide, so that evidence holds it. Repeating is safe."""
        addition = insert(policy_compositions).values(tenant_id=tenant_id, id=version, content=content)
        async with self._database.transaction(tenant_id) as session:
            await session.execute(addition.on_conflict_do_nothing())

    async def content(self, tenant_id: UUID, version: Digest) -> str:
        """What decided under this version, of any release. Raises `BundleRefused` where nothing did."""
        query = select(policy_compositions.c.content).where(
            policy_compositions.c.tenant_id == tenant_id, policy_compositions.c.id == version
        )
        async with self._database.transaction(tenant_id) as session:
            found: str | None = (await session.execute(query)).scalar_one_or_none()
        if found is None:
            raise BundleRefused("its version never decided")
        return found


def level_of(tenant_id: UUID, agent: str) -> Level:
    """Whose rows these are."""
    if tenant_id == ORGANISATION:
        return Level.ORGANISATION
    return Level.AGENT if agent else Level.TENANT


def owner_of(level: Level, tenant_id: UUID) -> UUID:
    """The tenant that a level's rows have."""
    return ORGANISATION if level is Level.ORGANISATION else tenant_id
