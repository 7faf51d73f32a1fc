"""Who decides: the engine in the worker, or an OPA server where one is set."""

from uuid import UUID

import pytest
from pydantic import SecretStr

from activities.policy import PolicyActivities
from activities.policy_input import DecideInput
from adapters.active_policies import ActivePolicies
from adapters.http import shared_client
from adapters.in_memory import InMemoryWhatLeft
from adapters.opa import OpaEngine
from adapters.policy.effective import Effective, alone
from adapters.policy.file import parse
from adapters.policy.tables import pack
from adapters.postgres.bootstrap import DatabaseUrls
from adapters.postgres.policies import PolicyStore
from adapters.regorus import RegorusEngine
from adapters.settings import Environment, Settings
from cli.policy_publish import Agreed, put_in_force
from domain.action import ProposedAction, SetStatus
from domain.decision import PolicyDecision, Verdict
from domain.errors import BundleRefused
from domain.ticket import Mode, Owner, TicketRef, TicketStatus
from tests.adapters.policy_inputs import starter
from tests.conftest import Databases
from tests.office import Office
from tests.opa.process import running_opa
from worker.policy_engine import loader

FORBIDS = """
schema_version: 2
name: nothing_is_closed
default: deny
rules:
  - {{id: closed_by_people, when: {{actions: [{}]}}, deny: true}}
"""


@pytest.fixture
def settings(database_urls: DatabaseUrls) -> Settings:
    return Settings(owner_database_url=SecretStr(database_urls.owner), environment=Environment.DEVELOPMENT)


@pytest.mark.parametrize(("opa_url", "engine"), [("", RegorusEngine), ("http://127.0.0.1:1", OpaEngine)])
async def test_engine_that_decides(opa_url: str, engine: type) -> None:
    async with shared_client() as client:
        loaded = await loader(client, opa_url, "")(starter())

    assert type(loaded) is engine
    assert loaded.version == starter().version


@pytest.mark.parametrize("opa_url", ["", "http://127.0.0.1:1"])
async def test_policy_that_cannot_be_evaluated_here_is_refused_whoever_decides(opa_url: str) -> None:
    senseless = Effective({**starter().document, "levels": 7}, starter().sources)

    async with shared_client() as client:
        with pytest.raises((BundleRefused, TypeError)):
            await loader(client, opa_url, "")(senseless)


def _plan(tenant_id: UUID) -> DecideInput:
    ticket = TicketRef(tenant_id=tenant_id, route="a" * 32)
    note = ProposedAction(ordinal=0, action=SetStatus(status=TicketStatus.SOLVED))
    return DecideInput(ticket=ticket, turn=1, mode=Mode.AUTOMATE, owner=Owner.AUTOMATION, actions=(note,))


async def test_tenants_policy_is_decided_by_opa_as_long_as_it_is_there(
    databases: Databases, settings: Settings, tenant_id: UUID
) -> None:
    office, allowed = Office(), parse(pack("support_default").read_text())
    forbidden = parse(FORBIDS.format("set_status"))
    decided: list[PolicyDecision] = []
    async with shared_client() as client:
        with running_opa("invented-token") as url:
            policies = ActivePolicies(PolicyStore(databases.app), loader(client, url, "invented-token"))
            steps = PolicyActivities(
                policies=policies, decisions=office.decisions, what_left=InMemoryWhatLeft(office.ledger)
            )
            for bundle in (allowed, forbidden):
                await put_in_force(bundle, f"tenant_{tenant_id.hex[:12]}", Agreed(), settings)
                decided += (await steps.decide(_plan(tenant_id))).decisions
            assert isinstance(await policies.active(tenant_id), OpaEngine)
        decided += (await steps.decide(_plan(tenant_id))).decisions

    assert [each.verdict for each in decided] == [Verdict.ALLOW, Verdict.DENY, Verdict.DENY]
    assert [each.reasons[0].code for each in decided[1:]] == ["denied", "engine_failed"]
    assert [each.policy_version for each in decided] == [
        alone(each).version for each in (allowed, forbidden, forbidden)
    ]
