"""A policy file put in force decides the next refund of its tenant and of nobody else."""

from uuid import UUID

import pytest
from pydantic import SecretStr

from adapters.active_policies import ActivePolicies, DenyEverything
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.tables import pack
from adapters.postgres.bootstrap import DatabaseUrls
from adapters.postgres.policies import PolicyStore
from adapters.postgres.tenant_registry import TenantRegistry
from adapters.settings import Environment, Settings
from cli.policy_places import NoSuchTenant
from cli.policy_publish import Agreed, put_in_force
from domain.decision import Verdict
from tests.adapters.policy_inputs import as_input, refund
from tests.conftest import Databases, a_tenant

TEXT = pack("support_default").read_text()


@pytest.fixture
def settings(database_urls: DatabaseUrls) -> Settings:
    return Settings(owner_database_url=SecretStr(database_urls.owner), environment=Environment.DEVELOPMENT)


def name_of(tenant_id: UUID) -> str:
    return f"tenant_{tenant_id.hex[:12]}"


async def test_changed_limit_decides_the_next_refund(
    databases: Databases, settings: Settings, tenant_id: UUID
) -> None:
    policies = ActivePolicies(PolicyStore(databases.app))
    verdicts = []

    for limit in ("50.00", "20.00", "50.00"):
        bundle = parse(TEXT.replace('"50.00"', f'"{limit}"'))
        await put_in_force(bundle, name_of(tenant_id), Agreed(), settings)
        engine = await policies.active(tenant_id)
        verdicts.append(engine.decide(as_input(refund(4000))).verdict)
        assert engine.version == alone(bundle).version

    assert verdicts == [Verdict.ALLOW, Verdict.APPROVAL_NEEDED, Verdict.ALLOW]


async def test_policy_of_one_tenant_says_nothing_about_another(
    databases: Databases, settings: Settings, tenant_id: UUID, registry: TenantRegistry
) -> None:
    other = await a_tenant(registry)
    await put_in_force(parse(TEXT), name_of(tenant_id), Agreed(), settings)

    assert isinstance(await ActivePolicies(PolicyStore(databases.app)).active(other), DenyEverything)


async def test_unknown_tenant_is_named(settings: Settings) -> None:
    with pytest.raises(NoSuchTenant, match="Tenant 'nobody' does not exist"):
        await put_in_force(parse(TEXT), "nobody", Agreed(), settings)
