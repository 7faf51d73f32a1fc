"""`countersign policy shadow report`: a candidate beside the policy in force, from decision to report."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.active_policies import ActivePolicies
from adapters.keys import EnvelopeKeys
from adapters.observing import CandidateObserver
from adapters.policy.file import parse
from adapters.policy.published import published
from adapters.postgres.bootstrap import DatabaseUrls
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.observations import Observations
from adapters.postgres.policies import PolicyStore
from adapters.postgres.policy_register import Place, PolicyRegister, Publication, move_pointer
from adapters.postgres.tenant_registry import TenantRegistry
from adapters.settings import Settings
from cli.__main__ import run
from cli.policy_places import Whose, policies_of
from cli.policy_shadow import observation_of
from domain.decision import PolicyDecision
from tests.adapters.policy_inputs import refund
from tests.cli.conftest import Shown
from tests.cli.decided import a_story, decided, policy_of
from tests.cli.filled import POLICY
from tests.conftest import Databases
from tests.docs.shown import shown_in, without_what_changes

PAGE = Path(__file__).parents[2] / "docs" / "policy" / "trying_changes.md"
CANDIDATE = published(parse(POLICY.replace('"50.00"', '"30.00"')))


@pytest.fixture
async def tried(
    databases: Databases, registry: TenantRegistry, keys: EnvelopeKeys, tenant: str
) -> list[PolicyDecision]:
    """Refunds of 20.00, 45.00 and 48.00 EUR, decided while a candidate with a lower limit is named."""
    policies = ActivePolicies(PolicyStore(databases.app))
    observer = CandidateObserver(policies, Observations(databases.app))
    made = []
    for number, cents in enumerate((2000, 4500, 4800), 1001):
        story = await a_story(databases, registry, keys, tenant)
        story.decisions = PostgresDecisions(databases.app, observer.offer)
        await story.tickets.open(story.ticket, str(number), "generic")
        policy = await policy_of(story)
        await named_as_candidate(databases, Place(story.ticket.tenant_id))
        made.append(await decided(story, policy, refund(cents)))
    await observer.round()
    return made


async def named_as_candidate(databases: Databases, place: Place) -> None:
    register = PolicyRegister(databases.owner)
    await register.publish(place, CANDIDATE, Publication())
    async with databases.owner.transaction(place.tenant_id) as session:
        await move_pointer(session, place, "candidate", CANDIDATE.version)


@pytest.mark.usefixtures("tried")
def test_page_shows_what_the_report_says(tenant: str, capsys: Shown) -> None:
    assert run(["policy", "shadow", "report", "--tenant", tenant]) == 0

    told = capsys.readouterr().out.replace(tenant, "harbour_books")
    assert without_what_changes(told) == without_what_changes(shown_in(PAGE, "harbour_books: candidate"))


def test_explanation_of_a_decision_names_what_was_tried(
    tenant: str, tried: list[PolicyDecision], capsys: Shown
) -> None:
    for decision, is_told in zip(tried, (False, True, True), strict=True):
        assert run(["policy", "explain", decision.decision_id, "--tenant", tenant]) == 0
        told = "was tried beside it: a person is asked (refunds_by_amount)." in capsys.readouterr().out
        assert told is is_told


def test_without_a_candidate_the_report_says_so(tenant: str, capsys: Shown) -> None:
    assert run(["policy", "shadow", "report", "--tenant", tenant]) == 0

    assert "No candidate was observed." in capsys.readouterr().out


def test_unknown_tenant_is_a_sentence(tenant: str, capsys: Shown) -> None:
    assert tenant
    assert run(["policy", "shadow", "report", "--tenant", "nobody"]) == 1

    assert "No tenant is called 'nobody'" in capsys.readouterr().err


async def test_putting_it_in_force_says_what_was_observed(
    database_urls: DatabaseUrls, tenant: str, tried: list[PolicyDecision]
) -> None:
    assert tried
    settings = Settings(owner_database_url=SecretStr(database_urls.owner))
    in_force = published(parse(POLICY)).version

    async with policies_of(Whose(tenant, organisation=False, agent=None), settings) as policies:
        of_candidate = await observation_of(policies, CANDIDATE.version)
        of_another = await observation_of(policies, in_force)

    assert of_candidate == [
        "It was observed for 0 days on 3 decisions, of which 2 would have been different",
        "Beware: it was observed for less than an hour, which is less than 7 days",
        "Beware: it was compared in 3 decisions, which is fewer than 500",
    ]
    assert of_another == ["It was never observed beside the policy in force"]
