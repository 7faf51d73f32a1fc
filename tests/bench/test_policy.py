"""What is measured of policy: the same answers, and not much more time than the last release took."""

import random

import pytest

from bench.by_hand import decide
from bench.policy import RULES, Disagreement, Proposal, Round, measured, proposals_to, rows_of, tenants_of
from bench.policy_tenants import bundle_of, proposed, terms_of
from domain.decision import Verdict

# It is 25 on a quiet machine. Preparing an engine at each decision would make it 120.
MEDIAN_AT_MOST = 60


@pytest.fixture(scope="module")
def proposals() -> list[Proposal]:
    return [*proposals_to(tenants_of(20), 400)]


def test_every_tenant_has_nine_rules_and_no_two_the_same() -> None:
    bundles = [bundle_of(terms_of(number)) for number in range(50)]

    assert {len(bundle.rules) for bundle in bundles} == {RULES}
    assert len({bundle.model_dump_json() for bundle in bundles}) == len(bundles)


def test_proposals_meet_every_verdict(proposals: list[Proposal]) -> None:
    assert {tenant.engine.decide(asked).verdict for tenant, asked in proposals} == {*Verdict}


def test_other_rules_by_hand_are_not_compared() -> None:
    tenant, other = tenants_of(2)
    asked = [proposed(0, random.Random(number)) for number in range(50)]  # noqa: S311 - the same on every run

    assert any(decide(each, tenant.terms) != decide(each, other.terms) for each in asked)
    with pytest.raises(Disagreement):
        proposals_to([type(tenant)(tenant.terms, other.engine)], 100)


def test_a_decision_costs_a_bounded_multiple_of_rules_by_hand(proposals: list[Proposal]) -> None:
    median, _ = rows_of([measured(proposals) for _ in range(3)])

    assert 1 < min(median.ratios) < MEDIAN_AT_MOST


def test_rows_have_the_quickest_times_and_the_ratio_in_the_middle() -> None:
    rounds = [
        Round([1000] * 10, [9000] * 10),
        Round([4000] * 10, [8000] * 10),
        Round([1000] * 10, [5000] * 10),
    ]

    median, _ = rows_of(rounds)

    assert (median.no_op, median.ticket, median.ratio) == (1, 5, 5)
