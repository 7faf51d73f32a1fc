"""Who may move a policy, and that what may lower enforcement takes two people."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, text

from adapters.active_policies import is_loadable
from adapters.policy.bundle import Level, digest
from adapters.policy.published import published
from adapters.policy.stricter import Kind, Loosening
from adapters.postgres import policy_moves
from adapters.postgres.policies import ORGANISATION, PolicyStore
from adapters.postgres.policy_changes import Levels
from adapters.postgres.policy_moves import (
    MoverMissing,
    MoverNotEntitled,
    Movers,
    MovesInParallel,
    PolicyMoves,
    SamePerson,
    SecondPersonNeeded,
)
from adapters.postgres.policy_register import NoSuchVersion, Place, PolicyRegister, Publication, move_pointer
from adapters.postgres.session import Database
from adapters.postgres.tables import policy_versions
from adapters.postgres.tenant_registry import PrincipalEntry, TenantRegistry
from domain.model import RecordId
from tests.adapters.policy.deciding import policy
from tests.adapters.postgres.policies.publishing import (
    AGENT,
    ORGANISATION_PLACE,
    events,
    in_force,
    limited,
)
from tests.conftest import a_configuration

Roles = tuple[Database, Database]
LOOSE, MIDDLE, STRICT = (published(limited(limit)) for limit in ("80.00", "50.00", "20.00"))


async def person(registry: TenantRegistry, tenant_id: UUID, *roles: str) -> RecordId:
    entry = PrincipalEntry(name="Ada", slack_team_id="T1", slack_user_id=uuid4().hex, roles=roles)
    return await registry.put_principal(tenant_id, entry)


@pytest.fixture
async def place(own_registry: TenantRegistry) -> Place:
    """A tenant with three published versions, the middle one in force."""
    place = Place(uuid4())
    await own_registry.put_tenant(a_configuration(place.tenant_id))
    return place


@pytest.fixture
async def people(own_registry: TenantRegistry, place: Place) -> tuple[RecordId, RecordId]:
    roles = ("compliance", "admin")
    first, second = [await person(own_registry, place.tenant_id, role) for role in roles]
    return first, second


@pytest.fixture(autouse=True)
async def middle_in_force(register: PolicyRegister, moves: PolicyMoves, place: Place) -> None:
    for file in (LOOSE, STRICT):
        await register.publish(place, file, Publication())
    await in_force((register, moves), place, MIDDLE)


async def test_one_person_tightens(
    moves: PolicyMoves,
    register: PolicyRegister,
    roles: Roles,
    place: Place,
    people: tuple[RecordId, RecordId],
) -> None:
    moved = await moves.activate(place, STRICT.version, Movers(people[0]))

    assert (moved.changed, moved.before, moved.loosened) == (True, MIDDLE.version, ())
    assert await register.active(place) == STRICT.version
    assert (await events(roles[0], place.tenant_id))[-1] == (
        "policy_activated",
        {
            "version": STRICT.version,
            "before": MIDDLE.version,
            "by": people[0],
            "second": None,
            "development": False,
            "loosened": [],
            "trial_ended": False,
        },
    )


async def test_lowering_enforcement_takes_a_second_person(
    moves: PolicyMoves,
    register: PolicyRegister,
    roles: Roles,
    place: Place,
    people: tuple[RecordId, RecordId],
) -> None:
    before = len(await events(roles[0], place.tenant_id))
    with pytest.raises(SecondPersonNeeded, match=r"may lower enforcement: .*--second"):
        await moves.activate(place, LOOSE.version, Movers(people[0]))
    unmoved = await register.active(place)

    moved = await moves.activate(place, LOOSE.version, Movers(*people))

    assert unmoved == MIDDLE.version
    assert await register.active(place) == LOOSE.version
    [(_, told)] = (await events(roles[0], place.tenant_id))[before:]
    assert (told["by"], told["second"]) == people
    assert told["loosened"] == [
        {"level": found.level, "rule": found.rule, "kind": found.kind} for found in moved.loosened
    ]
    assert [found.level for found in moved.loosened] == [Level.TENANT] * len(moved.loosened) != []


async def test_second_person_is_another(
    moves: PolicyMoves, place: Place, people: tuple[RecordId, RecordId]
) -> None:
    with pytest.raises(SamePerson, match="another than the first"):
        await moves.activate(place, LOOSE.version, Movers(people[0], people[0]))


@pytest.mark.parametrize("who", ["unknown", "without role", "of another tenant", "retired", "second"])
async def test_only_entitled_people_of_the_tenant_move(
    moves: PolicyMoves,
    own_registry: TenantRegistry,
    place: Place,
    people: tuple[RecordId, RecordId],
    who: str,
) -> None:
    tenant_id = place.tenant_id
    if who == "unknown":
        movers = Movers("principal_" + "0" * 24)
    elif who == "without role":
        movers = Movers(await person(own_registry, tenant_id, "teammate"))
    elif who == "of another tenant":
        other = uuid4()
        await own_registry.put_tenant(a_configuration(other))
        movers = Movers(await person(own_registry, other, "admin"))
    elif who == "retired":
        movers = Movers(await person(own_registry, tenant_id, "admin"))
        await own_registry.retire_others(tenant_id, people)
    else:
        movers = Movers(people[0], await person(own_registry, tenant_id, "audit"))

    with pytest.raises(MoverNotEntitled, match="role compliance or admin"):
        await moves.activate(place, STRICT.version, movers)


async def test_first_policy_needs_nobody_and_another_does(
    moves: PolicyMoves, register: PolicyRegister, place: Place
) -> None:
    new = Place(uuid4())
    await register.publish(new, LOOSE, Publication())

    assert (await moves.activate(new, LOOSE.version, Movers())).changed
    with pytest.raises(MoverMissing, match="--by"):
        await moves.activate(place, STRICT.version, Movers())


async def test_outside_production_one_person_may_and_the_trail_says_so(
    moves: PolicyMoves, roles: Roles, place: Place
) -> None:
    await moves.activate(place, LOOSE.version, Movers(development=True))

    told = (await events(roles[0], place.tenant_id))[-1][1]
    assert (told["development"], told["by"], bool(told["loosened"])) == (True, None, True)


async def test_version_that_is_in_force_is_not_moved_again(
    moves: PolicyMoves, roles: Roles, place: Place, people: tuple[RecordId, RecordId]
) -> None:
    before = await events(roles[0], place.tenant_id)

    assert not (await moves.activate(place, MIDDLE.version, Movers(people[0]))).changed
    assert await events(roles[0], place.tenant_id) == before


async def test_version_that_was_never_published_is_not_in_force(
    moves: PolicyMoves, place: Place, people: tuple[RecordId, RecordId]
) -> None:
    with pytest.raises(NoSuchVersion):
        await moves.activate(place, published(limited("30.00")).version, Movers(*people))


async def test_moves_at_once_are_judged_one_after_the_other(
    moves: PolicyMoves, register: PolicyRegister, place: Place, people: tuple[RecordId, RecordId]
) -> None:
    """From the middle both are stricter; from the strictest, the other is not."""
    between = published(limited("30.00"))
    await register.publish(place, between, Publication())

    outcomes = await asyncio.gather(
        *(moves.activate(place, file.version, Movers(people[0])) for file in (STRICT, between)),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, SecondPersonNeeded)]
    in_the_end = await register.active(place)
    assert in_the_end == STRICT.version
    assert len(refused) == 1 or outcomes[1].before == MIDDLE.version  # type: ignore[union-attr]  # it moved


async def test_old_policy_that_cannot_be_read_counts_as_stricter(
    moves: PolicyMoves, roles: Roles, place: Place, people: tuple[RecordId, RecordId]
) -> None:
    content = '{"bundle":{"schema_version":9}}'
    version = digest(content.encode())
    row = {"tenant_id": place.tenant_id, "id": version, "content": content, "level": "tenant"}
    async with roles[0].transaction(place.tenant_id) as session:
        await session.execute(insert(policy_versions).values(row))
        await move_pointer(session, place, "active", version)

    assert not await is_loadable(PolicyStore(roles[1]), place.tenant_id)  # the doctor names its tenant
    with pytest.raises(SecondPersonNeeded, match="cannot be read by this release"):
        await moves.activate(place, STRICT.version, Movers(people[0]))


# --- the organisation -------------------------------------------------------------------------------


@pytest.fixture
async def organisers(own_registry: TenantRegistry) -> tuple[RecordId, RecordId]:
    await own_registry.add_organisation()
    first, second = [await person(own_registry, ORGANISATION, "compliance") for _ in range(2)]
    return first, second


async def test_change_of_the_organisation_is_judged_for_every_tenant(
    roles: Roles,
    register: PolicyRegister,
    moves: PolicyMoves,
    place: Place,
    organisers: tuple[RecordId, RecordId],
) -> None:
    """A judge that objects for one tenant's policy only; all others are shown to be stricter."""
    await in_force((register, moves), ORGANISATION_PLACE, published(limited("60.00"), Level.ORGANISATION))
    file = published(limited("10.00"), Level.ORGANISATION)
    await register.publish(ORGANISATION_PLACE, file, Publication())
    await in_force((register, moves), place, published(limited("33.00")))
    objected = Loosening(Level.ORGANISATION, "a_rule", Kind.UNPROVEN, "one tenant's customers wait less")
    seen, bars = [], []

    def judge(before: Levels, after: Levels) -> tuple[Loosening, ...]:
        seen.append((before, after))
        return (objected,) if before.get(Level.TENANT) == limited("33.00") else ()

    judged = PolicyMoves(roles[0], judge)
    with pytest.raises(SecondPersonNeeded, match="one tenant's customers wait less"):
        await judged.activate(
            ORGANISATION_PLACE, file.version, Movers(organisers[0]), lambda *at: bars.append(at)
        )
    await judged.activate(ORGANISATION_PLACE, file.version, Movers(*organisers))

    assert {Level.TENANT: limited("33.00"), Level.ORGANISATION: limited("60.00")} in [one[0] for one in seen]
    assert {Level.TENANT: limited("33.00"), Level.ORGANISATION: limited("10.00")} in [one[1] for one in seen]
    assert {Level.ORGANISATION: limited("60.00")} in [
        one[0] for one in seen
    ]  # tenants without one, and to come
    assert bars[-1][0] == bars[-1][1] > 1
    told = (await events(roles[0], ORGANISATION))[-1]
    assert (told[0], told[1]["second"]) == ("policy_activated", organisers[1])


async def test_first_policy_of_a_tenant_is_judged_where_the_organisation_decided(
    moves: PolicyMoves,
    register: PolicyRegister,
    organisers: tuple[RecordId, RecordId],
    own_registry: TenantRegistry,
) -> None:
    """The organisation grants every action that is known, so a file that makes one known loosens."""
    everything = policy([{"action_allowlist": ["*"]}])
    known = policy([{"action_allowlist": ["*"]}], actions={"give_credit": {"band": "high"}})
    await in_force((register, moves), ORGANISATION_PLACE, published(everything, Level.ORGANISATION))
    tenants = [Place(uuid4()), Place(uuid4())]
    files = [published(known), published(everything)]
    for tenant, file in zip(tenants, files, strict=True):
        await own_registry.put_tenant(a_configuration(tenant.tenant_id))
        await register.publish(tenant, file, Publication())

    for movers in (Movers(), Movers(second=await person(own_registry, tenants[0].tenant_id, "admin"))):
        with pytest.raises(SecondPersonNeeded, match="action 'give_credit' is new and may be done"):
            await moves.activate(tenants[0], files[0].version, movers)
    assert (await moves.activate(tenants[1], files[1].version, Movers())).changed


async def test_organisations_policy_is_moved_by_its_own_people(
    moves: PolicyMoves, register: PolicyRegister, people: tuple[RecordId, RecordId]
) -> None:
    file = published(limited("5.00"), Level.ORGANISATION)
    await register.publish(ORGANISATION_PLACE, file, Publication())

    with pytest.raises(MoverNotEntitled):
        await moves.activate(ORGANISATION_PLACE, file.version, Movers(*people))


async def test_tenants_wait_while_the_organisation_moves_and_are_told_when_it_takes_long(
    roles: Roles,
    moves: PolicyMoves,
    place: Place,
    people: tuple[RecordId, RecordId],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(policy_moves, "PATIENCE", text("set local lock_timeout = '100ms'"))

    async with roles[0].transaction(ORGANISATION) as session:
        await session.execute(text(policy_moves.LOCKS[True]), {"lock": policy_moves.POLICY_LOCK})
        with pytest.raises(MovesInParallel, match="Try again"):
            await moves.activate(place, STRICT.version, Movers(people[0]))
        with pytest.raises(MovesInParallel, match="Try again"):
            await moves.try_out(place, STRICT.version, people[0])


async def test_agent_without_a_policy_of_its_own_is_tightened_by_one_person(
    moves: PolicyMoves, register: PolicyRegister, place: Place, people: tuple[RecordId, RecordId]
) -> None:
    agent = Place(place.tenant_id, AGENT)
    files = [published(limited(limit), Level.AGENT, agent=AGENT) for limit in ("20.00", "40.00")]
    for file in files:
        await register.publish(agent, file, Publication())

    await moves.activate(agent, files[0].version, Movers(people[0]))

    with pytest.raises(SecondPersonNeeded):
        await moves.activate(agent, files[1].version, Movers(people[0]))


# --- what is tried ----------------------------------------------------------------------------------


async def test_candidate_is_tried_and_ends_when_it_is_put_in_force(
    moves: PolicyMoves, store: PolicyStore, roles: Roles, place: Place, people: tuple[RecordId, RecordId]
) -> None:
    await moves.try_out(place, STRICT.version, people[0])
    tried = await store.pointers(place.tenant_id, AGENT)
    await moves.activate(place, STRICT.version, Movers(people[0]))
    ended = await store.pointers(place.tenant_id, AGENT)

    assert tried.candidate == {Level.TENANT: STRICT.version}
    assert (tried.active[Level.TENANT], ended.active[Level.TENANT]) == (MIDDLE.version, STRICT.version)
    assert ended.candidate == {}
    kinds = [kind for kind, _ in await events(roles[0], place.tenant_id)]
    assert kinds[-2:] == ["policy_tried", "policy_activated"]


async def test_trial_is_ended_by_an_entitled_person(
    moves: PolicyMoves,
    store: PolicyStore,
    own_registry: TenantRegistry,
    place: Place,
    people: tuple[str, str],
) -> None:
    await moves.try_out(place, LOOSE.version, people[0])
    with pytest.raises(MoverNotEntitled):
        await moves.try_out(place, None, await person(own_registry, place.tenant_id))

    await moves.try_out(place, None, people[1])

    assert (await store.pointers(place.tenant_id, AGENT)).candidate == {}
