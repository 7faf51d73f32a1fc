"""Which policy decides, and what happens when there is none, or it is broken, or cannot be read."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from adapters.active_policies import ActivePolicies, DenyEverything
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.tables import pack
from domain.decision import Verdict
from domain.model import Digest
from tests.adapters.policy_inputs import as_input, refund

STARTER_BUNDLE = parse(pack("support_default").read_text())
TEXT = alone(STARTER_BUNDLE).content
STRICTER = TEXT.replace('"50.00"', '"20.00"')
BROKEN = TEXT.replace('"50.00"', '"fifty"')


class Away(Exception):
    """The database does not answer."""


@dataclass(frozen=True)
class Stored:
    version: Digest
    content: str


class InMemoryPolicyStore:
    """One published text per tenant."""

    def __init__(self) -> None:
        self.pointers: dict[UUID, Stored] = {}
        self.away = False
        self.texts_read = 0

    def activate(self, tenant_id: UUID, text: str) -> None:
        self.pointers[tenant_id] = Stored(f"sha256:{uuid4().hex * 2}", text)

    async def active_version(self, tenant_id: UUID) -> Digest | None:
        if self.away:
            raise Away
        stored = self.pointers.get(tenant_id)
        return stored.version if stored else None

    async def active(self, tenant_id: UUID) -> Stored | None:
        if self.away:
            raise Away
        self.texts_read += 1
        return self.pointers.get(tenant_id)


TENANT = uuid4()


@pytest.fixture
def store() -> InMemoryPolicyStore:
    store = InMemoryPolicyStore()
    store.activate(TENANT, TEXT)
    return store


@pytest.fixture
def policies(store: InMemoryPolicyStore) -> ActivePolicies:
    return ActivePolicies(store)


async def verdict(policies: ActivePolicies, minor_units: int = 4000) -> Verdict:
    return (await policies.active(TENANT)).decide(as_input(refund(minor_units))).verdict


async def test_new_limit_decides_the_next_refund(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    before = await verdict(policies)
    store.activate(TENANT, STRICTER)

    assert (before, await verdict(policies)) == (Verdict.ALLOW, Verdict.APPROVAL_NEEDED)


async def test_unchanged_policy_is_read_once(store: InMemoryPolicyStore, policies: ActivePolicies) -> None:
    first, second = await policies.active(TENANT), await policies.active(TENANT)

    assert first is second
    assert store.texts_read == 1


async def test_broken_bundle_leaves_the_last_good_one(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    good = await policies.active(TENANT)
    store.activate(TENANT, BROKEN)

    assert await policies.active(TENANT) is good


async def test_broken_first_bundle_denies(store: InMemoryPolicyStore, policies: ActivePolicies) -> None:
    store.activate(TENANT, BROKEN)

    assert await verdict(policies) is Verdict.DENY


async def test_tenant_without_policy_is_denied_everything(policies: ActivePolicies) -> None:
    engine = await policies.active(uuid4())

    assert isinstance(engine, DenyEverything)
    assert engine.decide(as_input(refund())).verdict is Verdict.DENY


async def test_outage_of_the_store_leaves_the_last_good_one(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    good = await policies.active(TENANT)
    store.away = True

    assert await policies.active(TENANT) is good


async def test_outage_before_the_first_answer_is_not_an_answer(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    store.away = True

    with pytest.raises(Away):
        await policies.active(TENANT)
