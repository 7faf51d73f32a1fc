"""What moving one pointer changes, for every tenant and agent that it decides for. Runs as `owner`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.policy.bundle import Bundle, Level
from adapters.policy.published import read_published
from adapters.policy.stricter import Kind, Loosening
from adapters.postgres.directory import DirectoryKind
from adapters.postgres.policies import ORGANISATION, level_of, owner_of
from adapters.postgres.policy_register import Place, content_of
from adapters.postgres.session import SET_TENANT
from adapters.postgres.tables import directory, policy_pointers
from domain.errors import BundleRefused
from domain.model import Digest

Levels = Mapping[Level, Bundle]
Versions = Mapping[Level, Digest]


@dataclass(frozen=True)
class Change:
    """The levels of one tenant and agent before and after. Unreadable: what was cannot be compared."""

    before: Levels
    after: Levels
    unreadable: Sequence[Loosening] = ()


async def changes_of(
    session: AsyncSession, place: Place, version: Digest
) -> AsyncIterator[tuple[Change, int, int]]:
    """Each different change, with how many tenants are looked through and how many there are.

    At its end the session is bound to the place's own tenant again. Raises `BundleRefused` where the new
    version cannot be read.
    """
    tenants = await _tenants(session) if place.tenant_id == ORGANISATION else [place.tenant_id]
    files = _Files(session)
    seen: set[tuple[tuple[Level, Digest], ...]] = set()
    for done, tenant_id in enumerate(tenants, 1):
        await session.execute(SET_TENANT, {"tenant": str(tenant_id)})
        for agent, versions in await _decided_by(session, tenant_id, place):
            key = tuple(sorted(versions.items()))
            if key not in seen:
                seen.add(key)
                change = await files.change(Place(tenant_id, agent), versions, place, version)
                yield change, done, len(tenants)
    await session.execute(SET_TENANT, {"tenant": str(place.tenant_id)})


async def _tenants(session: AsyncSession) -> Sequence[UUID]:
    """And nobody's: the organisation's own policy is compared even where there is no tenant yet."""
    query = select(directory.c.tenant_id).where(directory.c.kind == DirectoryKind.NAME)
    return [ORGANISATION, *(await session.execute(query)).scalars().all()]


async def _decided_by(session: AsyncSession, tenant_id: UUID, place: Place) -> Sequence[tuple[str, Versions]]:
    """Agent and levels of everything in this tenant for which the place's policy decides."""
    query = select(policy_pointers.c.tenant_id, policy_pointers.c.agent, policy_pointers.c.version_id).where(
        policy_pointers.c.tenant_id.in_((tenant_id, ORGANISATION)), policy_pointers.c.kind == "active"
    )
    rows = (await session.execute(query)).all()
    wide = {level_of(row.tenant_id, ""): row.version_id for row in rows if not row.agent}
    agents = {row.agent: wide | {Level.AGENT: row.version_id} for row in rows if row.agent}
    if place.agent:
        return [(place.agent, agents.get(place.agent, wide))]
    return [("", wide), *agents.items()]


class _Files:
    """Each version is read once."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._read: dict[tuple[UUID, Digest], Bundle] = {}

    async def change(self, of: Place, versions: Versions, place: Place, version: Digest) -> Change:
        level = level_of(place.tenant_id, place.agent)
        new = await self._bundle(level, of, version)
        try:
            before = {each: await self._bundle(each, of, name) for each, name in versions.items()}
        except BundleRefused:
            return Change({}, {level: new}, (_unreadable(level),))
        return Change(before, {**before, level: new})

    async def _bundle(self, level: Level, of: Place, version: Digest) -> Bundle:
        key = owner_of(level, of.tenant_id), version
        if key not in self._read:
            where = Place(key[0], of.agent if level is Level.AGENT else "")
            self._read[key] = read_published(await content_of(self._session, where, version))
        return self._read[key]


def _unreadable(level: Level) -> Loosening:
    sentence = "what is in force now cannot be read by this release, so nothing can be shown about it"
    return Loosening(level, None, Kind.UNPROVEN, sentence)
