"""Tenants are registered as often as one likes, found by their keys, and their secrets stay sealed."""

from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from adapters.keys import DoorKeys, EnvelopeKeys
from adapters.postgres.connections import Connections, DoorConnections, NotConnected
from adapters.postgres.directory import Directory, DirectoryKind
from adapters.postgres.principals import Principals
from adapters.postgres.tenant_registry import (
    AlreadyRegistered,
    HelpdeskEntry,
    PrincipalEntry,
    ProviderEntry,
    SlackEntry,
    TenantRegistry,
)
from adapters.postgres.tenants import PostgresTenants
from domain.errors import UnknownTenant
from domain.ticket import Mode
from tests.conftest import Databases, a_configuration, a_tenant


def a_helpdesk(slug: str = "slug-1") -> HelpdeskEntry:
    return HelpdeskEntry(
        slug=slug,
        base_url="http://127.0.0.1:1/helpdesk/a/api",
        api_token=SecretStr("invented-helpdesk-token"),
        webhook_secrets=(SecretStr("whsec_one"), SecretStr("whsec_two")),
    )


async def connected(registry: TenantRegistry, tenant_id: UUID) -> str:
    """Everything connected; returns the Slack team."""
    team = f"T{uuid4().hex[:8]}"
    provider = ProviderEntry(base_url="http://127.0.0.1:1/p", token=SecretStr("invented-provider-token"))
    slack = SlackEntry(team_id=team, channel_id="C1", bot_token=SecretStr("xoxb-invented"))
    await registry.put_helpdesk(tenant_id, a_configuration(tenant_id).name, a_helpdesk())
    await registry.put_slack(tenant_id, slack)
    await registry.put_shop(tenant_id, provider)
    await registry.put_payments(tenant_id, provider)
    return team


async def test_a_configuration_is_read_as_it_was_put(
    registry: TenantRegistry, databases: Databases, tenant_id: UUID
) -> None:
    await registry.put_tenant(a_configuration(tenant_id, Mode.ASSIST))

    assert await PostgresTenants(databases.app).configuration(tenant_id) == a_configuration(
        tenant_id, Mode.ASSIST
    )
    assert await registry.find(a_configuration(tenant_id).name) == tenant_id


async def test_an_unknown_tenant_has_no_configuration(databases: Databases) -> None:
    with pytest.raises(UnknownTenant):
        await PostgresTenants(databases.app).configuration(uuid4())


async def test_a_name_belongs_to_one_tenant(registry: TenantRegistry, tenant_id: UUID) -> None:
    taken = a_configuration(uuid4()).model_copy(update={"name": a_configuration(tenant_id).name})

    with pytest.raises(AlreadyRegistered, match="under this name"):
        await registry.put_tenant(taken)


async def test_putting_a_tenant_again_keeps_its_routing_secret(
    registry: TenantRegistry, databases: Databases, door_keys: DoorKeys, tenant_id: UUID
) -> None:
    await connected(registry, tenant_id)
    door = DoorConnections(databases.door, door_keys)
    before = await door.webhook(tenant_id, "generic")

    await registry.put_tenant(a_configuration(tenant_id, Mode.OBSERVE))
    await connected(registry, tenant_id)

    assert before
    assert before[0] == ("whsec_one", "whsec_two")
    assert await door.webhook(tenant_id, "generic") == before
    assert await door.webhook(tenant_id, "other") is None


async def test_the_worker_reads_its_connections(
    registry: TenantRegistry, databases: Databases, keys: EnvelopeKeys, tenant_id: UUID
) -> None:
    team = await connected(registry, tenant_id)
    connections = Connections(databases.app, keys)

    helpdesk, slack = await connections.helpdesk(tenant_id), await connections.slack(tenant_id)
    shop, payments = await connections.shop(tenant_id), await connections.payments(tenant_id)

    assert helpdesk.token == "invented-helpdesk-token"
    assert (slack.team_id, slack.channel_id, slack.bot_token) == (team, "C1", "xoxb-invented")
    assert shop.token == payments.token == "invented-provider-token"


async def test_a_missing_connection_is_said(
    databases: Databases, keys: EnvelopeKeys, tenant_id: UUID
) -> None:
    with pytest.raises(NotConnected, match="no shop connection"):
        await Connections(databases.app, keys).shop(tenant_id)


async def test_a_hook_is_found_until_its_slug_changes(
    registry: TenantRegistry, databases: Databases, tenant_id: UUID
) -> None:
    name, directory = a_configuration(tenant_id).name, Directory(databases.door)
    await registry.put_helpdesk(tenant_id, name, a_helpdesk("first"))
    found = await directory.tenant_of(DirectoryKind.HOOK, name, "generic", "first")

    await registry.put_helpdesk(tenant_id, name, a_helpdesk("second"))

    assert found == tenant_id
    assert await directory.tenant_of(DirectoryKind.HOOK, name, "generic", "first") is None
    assert await directory.tenant_of(DirectoryKind.HOOK, name, "generic", "second") == tenant_id


async def test_a_workspace_belongs_to_one_tenant(registry: TenantRegistry, tenant_id: UUID) -> None:
    team = await connected(registry, tenant_id)
    slack = SlackEntry(team_id=team, channel_id="C2", bot_token=SecretStr("xoxb-other"))

    with pytest.raises(AlreadyRegistered, match="under this slack_team"):
        await registry.put_slack(await a_tenant(registry), slack)


async def test_another_workspace_replaces_the_first(
    registry: TenantRegistry, databases: Databases, keys: EnvelopeKeys, tenant_id: UUID
) -> None:
    first = await connected(registry, tenant_id)
    second = await connected(registry, tenant_id)
    directory = Directory(databases.door)

    assert (await Connections(databases.app, keys).slack(tenant_id)).team_id == second
    assert await directory.tenant_of(DirectoryKind.SLACK_TEAM, first) is None


async def test_a_teammate_keeps_the_id_and_gets_new_groups(
    registry: TenantRegistry, databases: Databases, tenant_id: UUID
) -> None:
    entry = PrincipalEntry(name="Ada", slack_team_id="T1", slack_user_id="U1", groups=("approvers",))
    first = await registry.put_principal(tenant_id, entry)

    again = await registry.put_principal(tenant_id, entry.model_copy(update={"groups": ("audit",)}))
    found = await Principals(databases.app).by_slack_user(tenant_id, "T1", "U1")

    assert again == first
    assert found
    assert (found.id, found.groups) == (first, ("audit",))
    assert await Principals(databases.app).by_id(tenant_id, first) == found
    assert await Principals(databases.app).by_slack_user(tenant_id, "T2", "U1") is None


async def test_a_teammate_is_named_by_id_or_in_the_connected_workspace(
    registry: TenantRegistry, databases: Databases, tenant_id: UUID
) -> None:
    team = await connected(registry, tenant_id)
    here, before = [
        await registry.put_principal(
            tenant_id, PrincipalEntry(name="Ada", slack_team_id=workspace, slack_user_id="U1")
        )
        for workspace in (team, "TBEFORE")
    ]
    people = Principals(databases.app)
    found = [await people.named(tenant_id, name) for name in ("U1", here, before, "U2")]

    assert [person and person.id for person in found] == [here, here, before, None]
    assert await people.named(await a_tenant(registry), here) is None
