"""What decides and what is tried: one cheap question a decision, the last good policy on trouble."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

import structlog

from adapters import regorus
from adapters.policy.bundle import Level
from adapters.policy.effective import Effective, effective
from adapters.policy.published import read_published
from adapters.policy.words import denial
from domain.decision import EngineAnswer, PolicyInput
from domain.errors import BundleRefused
from domain.model import Digest
from domain.ports import PolicyEngine

CAPACITY = 10_000  # of a few kilobytes each
SUPPORT_AGENT = "support_agent"
log = structlog.get_logger()


class Pointers(Protocol):
    """The versions of the levels."""

    @property
    def active(self) -> Mapping[Level, Digest]:
        """Which decide."""
        ...

    @property
    def candidate(self) -> Mapping[Level, Digest]:
        """Which are tried instead of the active one of their level."""
        ...


class PolicyStore(Protocol):
    """Published policies and the pointers to them."""

    async def pointers(self, tenant_id: UUID, agent: str) -> Pointers:
        """Cheap."""
        ...

    async def contents(self, tenant_id: UUID, versions: Mapping[Level, Digest]) -> Mapping[Level, str]:
        """What was published. Raises `BundleRefused`."""
        ...

    async def keep(self, tenant_id: UUID, version: Digest, content: str) -> None:
        """What decides, as evidence."""
        ...


class DenyEverything:
    """The policy of a tenant without one."""

    version: Digest = f"sha256:{'0' * 64}"

    def decide(self, input_: PolicyInput) -> EngineAnswer:  # noqa: ARG002 - the port's signature
        """Never raises."""
        return denial("default", "no_policy")


async def load(policy: Effective) -> PolicyEngine:
    """An engine. It is not tried here: every rule was, in a process of its own, before it was put in force.

    A decision waits for this, and trying takes longer than deciding. What fails all the same decides nothing.
    """
    return regorus.RegorusEngine(policy)


Versions = Mapping[Level, Digest]
Key = tuple[UUID, str]  # tenant and agent
Loader = Callable[[Effective], Awaitable[PolicyEngine]]


class ActivePolicies:
    """The `Policies` port. A policy that cannot be loaded leaves the tenant's last good one in force.

    Each decision asks which versions are the newest. News of a move only has them loaded before that, one
    tenant after the other, so that no decision waits for the engines of others. `load_` makes what decides;
    what is only tried is always evaluated in this process.
    """

    def __init__(self, store: PolicyStore, load_: Loader = load) -> None:
        self._store = store
        self._active = _Engines(load_)
        self._candidates = _Engines(load)
        self._moved: set[UUID] = set()

    async def newest(self, tenant_id: UUID, agent: str = SUPPORT_AGENT) -> PolicyEngine:
        """Never an earlier one. Raises `BundleRefused` where it cannot be loaded, and as the store does."""
        versions = (await self._store.pointers(tenant_id, agent)).active
        if not _decides(versions):
            return DenyEverything()
        return await self._loaded(self._active, (tenant_id, agent), versions)

    async def active(self, tenant_id: UUID, agent: str = SUPPORT_AGENT) -> PolicyEngine:
        """Raises what the store raises only for a tenant that has no engine yet: nothing is decided then."""
        key = tenant_id, agent
        try:
            return await self.newest(tenant_id, agent)
        except BundleRefused:
            return self._active.last_good(key) or DenyEverything()
        except Exception as error:
            kept = self._active.last_good(key)
            if kept is None:
                raise
            log.warning(
                "policy_not_refreshed", tenant=str(tenant_id), kept=kept.version, error=type(error).__name__
            )
            return kept

    async def candidate(self, tenant_id: UUID, agent: str = SUPPORT_AGENT) -> PolicyEngine | None:
        """What is tried; None where nothing is, or where it cannot be loaded. Never raises."""
        try:
            pointers = await self._store.pointers(tenant_id, agent)
            versions = {**pointers.active, **pointers.candidate}
            if not pointers.candidate or not _decides(versions):
                return None
            return await self._loaded(self._candidates, (tenant_id, agent), versions)
        except BundleRefused:
            return None
        except Exception as error:  # noqa: BLE001 - what is only tried must not touch what decides
            log.warning("candidate_not_loaded", tenant=str(tenant_id), error=type(error).__name__)
            return None

    def heard(self, tenant_id: UUID | None) -> None:
        """The policy of a tenant has moved; None: perhaps that of all."""
        known = {key[0] for key in self._active.held()}
        self._moved |= known if tenant_id is None else known & {tenant_id}

    async def refresh(self) -> bool:
        """Loads what moved for the tenants that have decided here. Others decide in between."""
        moved, self._moved = self._moved, set()
        for key in [key for key in self._active.held() if key[0] in moved]:
            await self.active(*key)
            await self.candidate(*key)
        return bool(self._moved)

    async def _loaded(self, engines: "_Engines", key: Key, versions: Versions) -> PolicyEngine:
        if engines.was_refused(key, versions):
            raise BundleRefused("it was refused before")
        kept = engines.of(key, versions)
        if kept is not None:
            return kept
        try:
            policy = await _composed(self._store, key[0], versions)
            engine = await engines.load(policy)
        except BundleRefused:
            engines.refuse(key, versions)
            log.warning(
                "policy_refused", tenant=str(key[0]), agent=key[1], versions=sorted(versions.values())
            )
            raise
        await self._store.keep(key[0], policy.version, policy.content)
        engines.put(key, versions, engine)
        return engine


async def is_loadable(store: PolicyStore, tenant_id: UUID, agent: str = SUPPORT_AGENT) -> bool:
    """Whether the newest policy answers for each of its actions; true where there is none. Writes nothing."""
    versions = (await store.pointers(tenant_id, agent)).active
    if not _decides(versions):
        return True
    try:
        regorus.load(await _composed(store, tenant_id, versions))
    except BundleRefused:
        return False
    return True


async def _composed(store: PolicyStore, tenant_id: UUID, versions: Versions) -> Effective:
    contents = await store.contents(tenant_id, versions)
    return effective({level: read_published(content) for level, content in contents.items()})


def _decides(versions: Versions) -> bool:
    """Whether it is a policy of the organisation or the tenant; an agent's alone is none."""
    return Level.ORGANISATION in versions or Level.TENANT in versions


class _Engines:
    """The engine of each tenant and agent, and which versions could not be loaded."""

    def __init__(self, load_: Loader) -> None:
        self.load = load_
        self._kept: OrderedDict[Key, tuple[Versions, PolicyEngine]] = OrderedDict()
        self._refused: OrderedDict[Key, Versions] = OrderedDict()

    def of(self, key: Key, versions: Versions) -> PolicyEngine | None:
        kept = self._kept.get(key)
        if kept is None or kept[0] != versions:
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def held(self) -> Sequence[Key]:
        return tuple(self._kept)

    def last_good(self, key: Key) -> PolicyEngine | None:
        kept = self._kept.get(key)
        return kept[1] if kept else None

    def put(self, key: Key, versions: Versions, engine: PolicyEngine) -> None:
        self._kept[key] = versions, engine
        self._kept.move_to_end(key)
        if len(self._kept) > CAPACITY:
            self._kept.popitem(last=False)

    def was_refused(self, key: Key, versions: Versions) -> bool:
        return self._refused.get(key) == versions

    def refuse(self, key: Key, versions: Versions) -> None:
        self._refused[key] = versions
        if len(self._refused) > CAPACITY:
            self._refused.popitem(last=False)
