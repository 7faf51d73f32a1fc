from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.keys import EnvelopeKeys
from adapters.policy.file import parse
from adapters.policy.published import published
from adapters.postgres.articles import ArticleShelf
from adapters.postgres.connections import Connections
from adapters.postgres.knowledge import PostgresKnowledge
from adapters.postgres.policy_moves import Movers
from adapters.postgres.policy_register import Place, PolicyRegister
from adapters.postgres.principals import Principals
from adapters.postgres.tenant_list import listed_tenants
from adapters.postgres.tenant_registry import AlreadyRegistered, TenantRegistry
from adapters.postgres.tenants import PostgresTenants
from cli.tenant import summary
from cli.tenants import TenantStores, add_tenant, policy_stores, read_tenant
from domain.knowledge import KnowledgeZone
from domain.ticket import Mode
from tests.cli.filled import POLICY, document, written
from tests.conftest import Databases

DEVELOPMENT = Movers(development=True)
PUBLIC = frozenset({KnowledgeZone.PUBLIC})


@pytest.fixture
def stores(databases: Databases, registry: TenantRegistry) -> TenantStores:
    return TenantStores(registry, ArticleShelf(databases.owner), policy_stores(databases.owner))


def a_name() -> str:
    return f"lamps_{uuid4().hex[:12]}"


async def test_added_tenant_can_work(
    stores: TenantStores, databases: Databases, keys: EnvelopeKeys, tmp_path: Path
) -> None:
    spec = read_tenant(a_name(), written(tmp_path, document()))

    added = await add_tenant(stores, spec, DEVELOPMENT)

    connections = Connections(databases.app, keys)
    assert (await connections.shop(added.tenant_id)).token == "shop-token"
    assert (await connections.payments(added.tenant_id)).base_url == "https://pay.example.com"
    assert (await connections.helpdesk(added.tenant_id)).token == "hd-token"
    assert (await connections.slack(added.tenant_id)).team_id == spec.file.slack.team_id
    configuration = await PostgresTenants(databases.app).configuration(added.tenant_id)
    assert configuration.signature == "Kind regards\nLantern Lamps"
    in_force = await PolicyRegister(databases.owner).active(Place(added.tenant_id))
    assert in_force == published(spec.policy).version
    found = await PostgresKnowledge(databases.app).search(added.tenant_id, "Which bulbs fit?", PUBLIC, 3)
    assert [passage.title for passage in found] == ["Bulbs"]


async def test_adding_again_changes_nothing(stores: TenantStores, tmp_path: Path) -> None:
    spec = read_tenant(a_name(), written(tmp_path, document()))
    first = await add_tenant(stores, spec, DEVELOPMENT)

    again = await add_tenant(stores, spec, DEVELOPMENT)

    assert again.tenant_id == first.tenant_id
    assert (first.is_new, again.is_new) == (True, False)
    assert (first.policy_changed, again.policy_changed) == (True, False)
    assert (first.articles_changed, again.articles_changed) == (1, 0)


async def test_changed_file_brings_the_tenant_up_to_date(
    stores: TenantStores, databases: Databases, tmp_path: Path
) -> None:
    name, content = a_name(), document()
    first = await add_tenant(stores, read_tenant(name, written(tmp_path, content)), DEVELOPMENT)
    path = written(tmp_path, {**content, "settings": {"mode": "observe"}})
    (tmp_path / "policy.yaml").write_text(POLICY.replace('"50.00"', '"20.00"'))

    again = await add_tenant(stores, read_tenant(name, path), DEVELOPMENT)

    configuration = await PostgresTenants(databases.app).configuration(first.tenant_id)
    assert configuration.settings.mode is Mode.OBSERVE
    assert again.policy_changed


async def test_policy_in_force_is_replaced_by_people_only(
    stores: TenantStores, databases: Databases, tmp_path: Path
) -> None:
    name, content = a_name(), document()
    first = await add_tenant(stores, read_tenant(name, written(tmp_path, content)), Movers())
    path = written(tmp_path, {**content, "settings": {"mode": "observe"}})
    (tmp_path / "policy.yaml").write_text(POLICY.replace('"50.00"', '"20.00"'))

    again = await add_tenant(stores, read_tenant(name, path), Movers())

    assert (first.policy_changed, again.policy_changed, again.policy_waits) == (True, False, True)
    in_force = await PolicyRegister(databases.owner).active(Place(first.tenant_id))
    assert in_force == published(parse(POLICY)).version
    configuration = await PostgresTenants(databases.app).configuration(first.tenant_id)
    assert configuration.settings.mode is Mode.OBSERVE  # everything else is brought up to date


async def test_slack_team_of_another_tenant_is_refused(stores: TenantStores, tmp_path: Path) -> None:
    content: dict[str, Any] = document()
    await add_tenant(stores, read_tenant(a_name(), written(tmp_path, content)), DEVELOPMENT)

    with pytest.raises(AlreadyRegistered):
        await add_tenant(stores, read_tenant(a_name(), written(tmp_path, content)), DEVELOPMENT)


async def test_teammates_are_known_by_their_slack_user(
    stores: TenantStores, databases: Databases, keys: EnvelopeKeys, tmp_path: Path
) -> None:
    spec = read_tenant(a_name(), written(tmp_path, document()))
    added = await add_tenant(stores, spec, DEVELOPMENT)

    found = await Principals(databases.app).by_slack_user(added.tenant_id, spec.file.slack.team_id, "U0NORA")

    assert found is not None
    assert found.groups == ("approvers",)


async def test_who_leaves_the_file_may_decide_nothing(
    stores: TenantStores, databases: Databases, tmp_path: Path
) -> None:
    name, content = a_name(), document()
    omar = {"name": "Omar", "slack_user_id": "U0OMAR", "groups": ["approvers"], "roles": ["admin"]}
    both: dict[str, Any] = {**content, "teammates": [*content["teammates"], omar]}  # type: ignore[misc]
    added = await add_tenant(stores, read_tenant(name, written(tmp_path, both)), DEVELOPMENT)

    spec = read_tenant(name, written(tmp_path, content))
    await add_tenant(stores, spec, DEVELOPMENT)

    people = Principals(databases.app)
    left = await people.by_slack_user(added.tenant_id, spec.file.slack.team_id, "U0OMAR")
    stays = await people.by_slack_user(added.tenant_id, spec.file.slack.team_id, "U0NORA")
    assert left is not None
    assert stays is not None
    assert (left.groups, left.roles) == ((), ())
    assert stays.groups == ("approvers",)


async def test_operator_sees_every_tenant(stores: TenantStores, databases: Databases, tmp_path: Path) -> None:
    names = {a_name(), a_name()}
    for name in names:
        await add_tenant(stores, read_tenant(name, written(tmp_path, document())), DEVELOPMENT)

    listed = await listed_tenants(databases.owner)

    assert names <= {tenant.name for tenant in listed}
    assert [tenant.name for tenant in listed] == sorted(tenant.name for tenant in listed)


async def test_summary_names_the_webhook_and_no_token(stores: TenantStores, tmp_path: Path) -> None:
    spec = read_tenant(a_name(), written(tmp_path, document()))
    added = await add_tenant(stores, spec, DEVELOPMENT)

    lines = "\n".join(summary(spec, added, 8000))

    assert f"http://127.0.0.1:8000/hooks/{spec.name}/generic/{spec.file.helpdesk.slug}" in lines
    assert not any(secret in lines for secret in ("hd-token", "xoxb", "whsec"))
