"""Published policies never change, and decisions find what their levels come to."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters.active_policies import ActivePolicies
from adapters.policy.bundle import Level
from adapters.policy.effective import alone, effective
from adapters.policy.published import published
from adapters.postgres.policies import ORGANISATION, PolicyStore
from adapters.postgres.policy_moves import PolicyMoves
from adapters.postgres.policy_register import (
    NoSuchVersion,
    Place,
    PolicyRegister,
    Publication,
    TestRun,
    move_pointer,
)
from adapters.postgres.session import Database
from domain.decision import Verdict
from domain.errors import BundleRefused
from tests.adapters.policy_inputs import as_input, refund
from tests.adapters.postgres.policies.publishing import (
    AGENT,
    BUNDLE,
    ORGANISATION_PLACE,
    events,
    in_force,
    limited,
)


async def test_pointers_name_the_newest_version_of_each_level(
    register: PolicyRegister, moves: PolicyMoves, store: PolicyStore, place: Place
) -> None:
    agents = Place(place.tenant_id, AGENT)
    files = {
        Level.TENANT: published(BUNDLE),
        Level.AGENT: published(BUNDLE, Level.AGENT, agent=AGENT),
    }
    await in_force((register, moves), place, published(limited("20.00")))
    await in_force((register, moves), place, files[Level.TENANT])
    await in_force((register, moves), agents, files[Level.AGENT])

    found = await store.pointers(place.tenant_id, AGENT)
    others = await store.pointers(place.tenant_id, "billing_agent")

    assert {level: found.active[level] for level in files} == {
        level: file.version for level, file in files.items()
    }
    assert Level.AGENT not in others.active
    assert await store.contents(place.tenant_id, {level: found.active[level] for level in files}) == {
        level: file.content for level, file in files.items()
    }


async def test_organisation_binds_tenants_that_come_later(
    register: PolicyRegister, moves: PolicyMoves, store: PolicyStore, place: Place
) -> None:
    strict = limited("20.00")
    await in_force((register, moves), ORGANISATION_PLACE, published(strict, Level.ORGANISATION))
    await in_force((register, moves), place, published(BUNDLE))

    engine = await ActivePolicies(store).active(place.tenant_id)

    assert engine.decide(as_input(refund(4000))).verdict is Verdict.APPROVAL_NEEDED
    both = effective({Level.ORGANISATION: strict, Level.TENANT: BUNDLE})
    assert engine.version == both.version
    assert await store.content(place.tenant_id, engine.version) == both.content


async def test_published_version_says_who_why_and_what_changed(
    register: PolicyRegister, moves: PolicyMoves, roles: tuple[Database, Database], place: Place
) -> None:
    await in_force((register, moves), place, published(BUNDLE))
    run = TestRun(tables=1, rows=12, digest="sha256:" + "1" * 64)
    publication = Publication("principal_1", ("principal_2",), "Christmas is near", run)

    await register.publish(place, published(limited("20.00")), publication)

    newest, first = await register.listed(place.tenant_id)
    assert newest.publication == publication
    assert newest.replaces == first.version == published(BUNDLE).version
    changed = [line for line in newest.diff.splitlines()[2:] if line.startswith(("-", "+"))]
    assert sorted(changed) == [
        f"{sign}      {currency}: '{limit}'"
        for sign, limit in (("+", "20.00"), ("-", "50.00"))
        for currency in ("EUR", "GBP", "USD")
    ]
    assert (first.kinds, newest.kinds) == (("active",), ())
    told = await events(roles[0], place.tenant_id)
    assert [kind for kind, _ in told] == ["policy_published", "policy_activated", "policy_published"]
    assert "Christmas" not in str(told)


async def test_publishing_again_changes_nothing(register: PolicyRegister, place: Place) -> None:
    first = await register.publish(place, published(BUNDLE), Publication("principal_1", reason="first"))
    again = await register.publish(place, published(BUNDLE), Publication("principal_2", reason="again"))

    [listed] = await register.listed(place.tenant_id)
    assert (first, again, listed.publication.author) == (True, False, "principal_1")


async def test_version_names_its_content(roles: tuple[Database, Database], place: Place) -> None:
    forged = text(
        "insert into policy_versions (tenant_id, id, content, level) values (:tenant, :id, '{}', 'tenant')"
    )

    with pytest.raises(DBAPIError, match="named by its content"):
        async with roles[0].transaction(place.tenant_id) as session:
            await session.execute(forged, {"tenant": place.tenant_id, "id": alone(BUNDLE).version})


@pytest.mark.parametrize(
    "statement",
    [
        "insert into policy_versions (tenant_id, id, content, level) values (:tenant, 'x', '{}', 'tenant')",
        "update policy_pointers set version_id = version_id",
        "delete from policy_pointers",
        "insert into policy_pointers (tenant_id, kind, version_id) values (:tenant, 'active', 'x')",
        "delete from policy_compositions",
    ],
)
@pytest.mark.parametrize("of", ["tenant", "organisation"])
async def test_what_serves_tickets_moves_no_policy(
    roles: tuple[Database, Database], place: Place, statement: str, of: str
) -> None:
    tenant_id = ORGANISATION if of == "organisation" else place.tenant_id

    with pytest.raises(DBAPIError, match="permission denied"):
        async with roles[1].transaction(tenant_id) as session:
            await session.execute(text(statement), {"tenant": tenant_id})


async def test_pointer_of_an_agent_names_no_version_of_another(
    register: PolicyRegister, roles: tuple[Database, Database], place: Place
) -> None:
    file = published(BUNDLE, Level.AGENT, agent=AGENT)
    await register.publish(Place(place.tenant_id, AGENT), file, Publication())

    with pytest.raises(DBAPIError, match="foreign key"):
        async with roles[0].transaction(place.tenant_id) as session:
            await move_pointer(session, Place(place.tenant_id, "billing_agent"), "active", file.version)


async def test_beginning_of_a_version_is_enough_where_one_begins_so(
    register: PolicyRegister, place: Place
) -> None:
    files = [published(limited(f"{limit}.00")) for limit in range(20, 37)]
    for file in files:
        await register.publish(place, file, Publication())
    wanted = files[0].version

    assert (await register.find(place, wanted)).version == wanted
    assert (await register.find(place, wanted[7:19])).version == wanted
    with pytest.raises(NoSuchVersion, match="could be any of 17 versions"):
        await register.find(place, "sha256:")
    with pytest.raises(NoSuchVersion, match="is not published here"):
        await register.find(place, "0" * 64)


async def test_version_that_never_decided_is_no_evidence(store: PolicyStore, place: Place) -> None:
    with pytest.raises(BundleRefused, match="never decided"):
        await store.content(place.tenant_id, alone(BUNDLE).version)
