"""The policies that a tenant's past decisions are put to: that of the time of each, and the candidate."""

from collections import OrderedDict
from collections.abc import Mapping
from uuid import UUID

from adapters import regorus
from adapters.policy.bundle import Bundle, Level
from adapters.policy.effective import Effective, effective
from adapters.policy.past import Judge
from adapters.policy.published import read_levels, read_published
from adapters.postgres.policies import PolicyStore
from adapters.postgres.session import Database
from domain.errors import BundleRefused
from domain.model import Digest

KEPT = 32  # versions of the past, ready to decide


class Judges:
    """Of one tenant. Reads as `app`."""

    def __init__(self, database: Database, tenant_id: UUID, level: Level, bundle: Bundle, agent: str) -> None:
        self._store = PolicyStore(database)
        self._tenant_id = tenant_id
        self._level = level
        self._bundle = bundle
        self._agent = agent
        self._candidates: dict[str, Judge] = {}
        self._past: OrderedDict[Digest, Judge | None] = OrderedDict()

    async def candidate(self, agent: str) -> Judge:
        """The levels in force for an agent with the changed one among them. Raises `BundleRefused`."""
        if agent not in self._candidates:
            levels = dict(await self._in_force(agent))
            if self._level is not Level.AGENT or agent == self._agent:
                levels[self._level] = self._bundle
            self._candidates[agent] = Judge(_usable(effective(levels)))
        return self._candidates[agent]

    async def then(self, version: Digest) -> Judge | None:
        """None where that version is not kept, or this release cannot read it."""
        if version not in self._past:
            self._past[version] = await self._read(version)
            if len(self._past) > KEPT:
                self._past.popitem(last=False)
        self._past.move_to_end(version)
        return self._past[version]

    async def _read(self, version: Digest) -> Judge | None:
        try:
            content = await self._store.content(self._tenant_id, version)
            return Judge(_usable(effective(read_levels(content))))
        except BundleRefused:
            return None

    async def _in_force(self, agent: str) -> Mapping[Level, Bundle]:
        versions = (await self._store.pointers(self._tenant_id, agent)).active
        contents = await self._store.contents(self._tenant_id, versions) if versions else {}
        return {level: read_published(content) for level, content in contents.items()}


def _usable(policy: Effective) -> Effective:
    regorus.load(policy)
    return policy
