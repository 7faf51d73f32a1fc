"""Which policy decides, and what happens when there is none, or it is broken, or cannot be read."""

import asyncio
from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest

from adapters.active_policies import ActivePolicies, DenyEverything, is_loadable, load
from adapters.in_memory import ScriptedEngine
from adapters.policy.bundle import Bundle, Level
from adapters.policy.effective import Effective, alone, effective
from adapters.policy.file import parse
from adapters.policy.published import published, read_published
from adapters.policy.tables import pack
from adapters.policy.words import denial
from adapters.postgres.policies import Pointers
from domain.decision import Verdict
from domain.errors import BundleRefused
from domain.model import Digest
from domain.ports import PolicyEngine
from tests.adapters.policy_inputs import as_input, refund

STARTER_BUNDLE = parse(pack("support_default").read_text())
TEXT = published(STARTER_BUNDLE).content
STRICTER = TEXT.replace('"50.00"', '"20.00"')
BROKEN = TEXT.replace('"50.00"', '"fifty"')
TENANT = uuid4()
AGENT = "support_agent"


def limited(limit: str) -> Bundle:
    return parse(pack("support_default").read_text().replace('"50.00"', f'"{limit}"'))


class Away(Exception):
    """The database does not answer."""


class InMemoryPolicyStore:
    """Published texts and the pointers to them, of one tenant."""

    def __init__(self) -> None:
        self.active: dict[Level, Digest] = {}
        self.candidate: dict[Level, Digest] = {}
        self.texts: dict[Digest, str] = {}
        self.kept: dict[Digest, str] = {}
        self.away = False
        self.texts_read = 0

    def activate(self, text: str, level: Level = Level.TENANT) -> None:
        self.active[level] = self._published(text)

    def try_out(self, text: str, level: Level = Level.TENANT) -> None:
        self.candidate[level] = self._published(text)

    async def pointers(self, tenant_id: UUID, agent: str) -> Pointers:
        if self.away:
            raise Away
        if (tenant_id, agent) != (TENANT, AGENT):
            return Pointers()
        return Pointers(dict(self.active), dict(self.candidate))

    async def contents(self, tenant_id: UUID, versions: Mapping[Level, Digest]) -> Mapping[Level, str]:
        assert tenant_id == TENANT
        self.texts_read += 1
        return {level: self.texts[version] for level, version in versions.items()}

    async def keep(self, tenant_id: UUID, version: Digest, content: str) -> None:
        assert tenant_id == TENANT
        self.kept[version] = content

    def _published(self, text: str) -> Digest:
        version = f"sha256:{uuid4().hex * 2}"
        self.texts[version] = text
        return version


@pytest.fixture
def store() -> InMemoryPolicyStore:
    store = InMemoryPolicyStore()
    store.activate(TEXT)
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
    store.activate(STRICTER)

    assert (before, await verdict(policies)) == (Verdict.ALLOW, Verdict.APPROVAL_NEEDED)


async def test_organisation_tightens_and_never_loosens(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    store.activate(STRICTER, Level.ORGANISATION)
    tightened = await verdict(policies)
    store.activate(STRICTER)
    store.activate(TEXT, Level.ORGANISATION)

    assert (tightened, await verdict(policies)) == (Verdict.APPROVAL_NEEDED, Verdict.APPROVAL_NEEDED)


async def test_version_is_of_all_levels_and_is_kept_as_evidence(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    strict = parse(pack("support_default").read_text().replace('"50.00"', '"20.00"'))
    store.activate(published(strict, Level.ORGANISATION).content, Level.ORGANISATION)

    engine = await policies.active(TENANT)

    both = effective({Level.ORGANISATION: strict, Level.TENANT: STARTER_BUNDLE})
    assert engine.version == both.version != alone(STARTER_BUNDLE).version
    assert store.kept == {both.version: both.content}


@pytest.mark.parametrize(
    ("level", "expected"), [(Level.ORGANISATION, Verdict.ALLOW), (Level.AGENT, Verdict.DENY)]
)
async def test_organisation_decides_for_a_tenant_without_policy_and_an_agent_does_not(
    store: InMemoryPolicyStore, policies: ActivePolicies, level: Level, expected: Verdict
) -> None:
    store.active.clear()
    store.activate(TEXT, level)

    assert await verdict(policies) is expected


async def test_unchanged_policy_is_read_once(store: InMemoryPolicyStore, policies: ActivePolicies) -> None:
    first, second = await policies.active(TENANT), await policies.active(TENANT)

    assert first is second
    assert store.texts_read == 1


async def test_broken_policy_leaves_the_last_good_one_and_is_read_once(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    good = await policies.active(TENANT)
    store.activate(BROKEN)

    assert [await policies.active(TENANT) for _ in range(3)] == [good] * 3
    assert store.texts_read == 2


async def test_policy_after_a_broken_one_decides(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    store.activate(BROKEN)
    await policies.active(TENANT)
    store.activate(STRICTER)

    assert await verdict(policies) is Verdict.APPROVAL_NEEDED


async def test_broken_first_policy_denies(store: InMemoryPolicyStore, policies: ActivePolicies) -> None:
    store.activate(BROKEN)

    assert await verdict(policies) is Verdict.DENY


async def test_policy_that_the_engine_refuses_leaves_the_last_good_one(store: InMemoryPolicyStore) -> None:
    strict = alone(parse(pack("support_default").read_text().replace('"50.00"', '"20.00"'))).version

    async def picky(policy: Effective) -> PolicyEngine:
        if policy.version == strict:
            raise BundleRefused("the engine cannot evaluate it")
        return await load(policy)

    policies = ActivePolicies(store, picky)
    good = await policies.active(TENANT)
    store.activate(STRICTER)

    assert await policies.active(TENANT) is good


async def test_what_leaves_is_never_held_to_an_earlier_policy(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    await policies.active(TENANT)
    store.activate(BROKEN)

    with pytest.raises(BundleRefused):
        await policies.newest(TENANT)
    store.away = True
    with pytest.raises(Away):
        await policies.newest(TENANT)


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


# --- what is tried --------------------------------------------------------------------------------


async def test_candidate_is_tried_beside_the_active_levels(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    assert await policies.candidate(TENANT) is None
    store.try_out(STRICTER, Level.ORGANISATION)

    tried = await policies.candidate(TENANT)

    assert tried is not None
    assert tried.decide(as_input(refund(4000))).verdict is Verdict.APPROVAL_NEEDED
    assert await verdict(policies) is Verdict.ALLOW


async def test_candidate_is_evaluated_here_whoever_decides(store: InMemoryPolicyStore) -> None:
    async def elsewhere(policy: Effective) -> PolicyEngine:
        del policy
        return ScriptedEngine(lambda _: denial("default", "engine_failed"))

    store.try_out(STRICTER)
    policies = ActivePolicies(store, elsewhere)

    assert await verdict(policies) is Verdict.DENY
    tried = await policies.candidate(TENANT)
    assert tried is not None
    assert tried.decide(as_input(refund(4000))).verdict is Verdict.APPROVAL_NEEDED


@pytest.mark.parametrize("trouble", ["broken", "away"])
async def test_trouble_with_a_candidate_touches_no_decision(
    store: InMemoryPolicyStore, policies: ActivePolicies, trouble: str
) -> None:
    await policies.active(TENANT)
    store.try_out(BROKEN)
    store.away = trouble == "away"

    assert await policies.candidate(TENANT) is None
    assert await verdict(policies) is Verdict.ALLOW


# --- what moves while decisions are made ------------------------------------------------------------


async def test_news_of_a_move_loads_it_before_the_next_decision(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    await policies.active(TENANT)
    store.activate(STRICTER)

    policies.heard(TENANT)
    await policies.refresh()
    read = store.texts_read

    assert await verdict(policies) is Verdict.APPROVAL_NEEDED
    assert (read, store.texts_read) == (2, 2)


@pytest.mark.parametrize(("heard", "read"), [(None, 2), (uuid4(), 1)])
async def test_news_of_the_organisation_is_for_all_that_decided_here_and_other_tenants_news_for_none(
    store: InMemoryPolicyStore, policies: ActivePolicies, heard: UUID | None, read: int
) -> None:
    await policies.active(TENANT)
    store.activate(STRICTER, Level.ORGANISATION)

    policies.heard(heard)
    await policies.refresh()

    assert store.texts_read == read


async def test_news_is_not_needed(store: InMemoryPolicyStore, policies: ActivePolicies) -> None:
    policies.heard(None)
    await policies.refresh()

    assert store.texts_read == 0  # nobody has decided yet
    assert await verdict(policies) is Verdict.ALLOW


async def test_policy_that_cannot_be_loaded_is_found_without_keeping_anything(
    store: InMemoryPolicyStore,
) -> None:
    fine = [await is_loadable(store, TENANT), await is_loadable(store, uuid4())]
    store.activate(BROKEN)

    assert (fine, await is_loadable(store, TENANT)) == ([True, True], False)
    assert store.kept == {}


async def test_five_thousand_decisions_under_changing_policies_are_all_made_each_with_one_version(
    store: InMemoryPolicyStore, policies: ActivePolicies
) -> None:
    """What a version decides is known, so a decision that mixed two would show."""
    texts = [published(limited(limit)).content for limit in ("10.00", "39.99", "40.00", "90.00")]
    expected = {
        alone(read_published(text)).version: verdict
        for text, verdict in zip(texts, (*[Verdict.APPROVAL_NEEDED] * 2, *[Verdict.ALLOW] * 2), strict=True)
    }
    asked = as_input(refund(4000))
    made: list[tuple[Digest, Verdict]] = []

    async def decide() -> None:
        for _ in range(1000):
            engine = await policies.active(TENANT)
            await asyncio.sleep(0)  # a move may fall in between; the engine stays what it is
            made.append((engine.version, engine.decide(asked).verdict))

    async def move() -> None:
        while len(made) < 5000:
            for text in texts:
                store.activate(text)
                policies.heard(TENANT)
                await policies.refresh()
                await asyncio.sleep(0.001)

    store.activate(texts[0])
    await asyncio.gather(move(), *(decide() for _ in range(5)))

    assert len(made) == 5000
    assert {version for version, _ in made} == set(expected)
    assert all(expected[version] is verdict for version, verdict in made)
