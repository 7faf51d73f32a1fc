"""The active policy of each tenant: one cheap question a decision, the last good engine on trouble."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

import structlog

from adapters import regorus
from adapters.policy.effective import Effective, alone
from adapters.policy.file import read_published
from adapters.policy.words import denial
from domain.decision import EngineAnswer, PolicyInput
from domain.errors import BundleRefused
from domain.model import Digest
from domain.ports import PolicyEngine

CAPACITY = 1000
log = structlog.get_logger()


class Published(Protocol):
    """A stored policy."""

    @property
    def version(self) -> Digest:
        """Its name in the store."""
        ...

    @property
    def content(self) -> str:
        """What `Bundle.published` wrote."""
        ...


class PolicyStore(Protocol):
    """Published policies and the pointer of each tenant."""

    async def active_version(self, tenant_id: UUID) -> Digest | None:
        """Only what the pointer names; None where the tenant never had a policy."""
        ...

    async def active(self, tenant_id: UUID) -> Published | None:
        """The policy the pointer names."""
        ...


class DenyEverything:
    """The policy of a tenant without one."""

    version: Digest = f"sha256:{'0' * 64}"

    def decide(self, input_: PolicyInput) -> EngineAnswer:  # noqa: ARG002 - the port's signature
        """Never raises."""
        return denial("default", "no_policy")


class ActivePolicies:
    """The `Policies` port. A bundle that cannot be loaded leaves the tenant's last good one in force."""

    def __init__(self, store: PolicyStore, load: Callable[[Effective], PolicyEngine] = regorus.load) -> None:
        self._store = store
        self._load = load
        self._engines: OrderedDict[UUID, tuple[Digest, PolicyEngine]] = OrderedDict()

    async def active(self, tenant_id: UUID) -> PolicyEngine:
        """Raises what the store raises only for a tenant that has no engine yet: nothing is decided then."""
        try:
            return await self._newest(tenant_id)
        except Exception as error:
            kept = self._engines.get(tenant_id)
            if kept is None:
                if isinstance(error, BundleRefused):
                    return DenyEverything()
                raise
            log.warning(
                "policy_not_refreshed", tenant=str(tenant_id), kept=kept[0], error=type(error).__name__
            )
            return kept[1]

    async def _newest(self, tenant_id: UUID) -> PolicyEngine:
        kept = self._engines.get(tenant_id)
        if kept is not None and kept[0] == await self._store.active_version(tenant_id):
            self._engines.move_to_end(tenant_id)
            return kept[1]
        published = await self._store.active(tenant_id)
        if published is None:
            return DenyEverything()
        return self._keep(tenant_id, published)

    def _keep(self, tenant_id: UUID, published: Published) -> PolicyEngine:
        engine = self._load(alone(read_published(published.content)))
        self._engines[tenant_id] = published.version, engine
        self._engines.move_to_end(tenant_id)
        if len(self._engines) > CAPACITY:
            self._engines.popitem(last=False)
        return engine
