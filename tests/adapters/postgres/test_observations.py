"""What candidates would have decided is kept as it was seen, for the tenant alone."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters.observing import CandidateObserver
from adapters.postgres.decision_records import DecisionRecords
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.observations import ObservationRecords, Observations
from adapters.postgres.tenant_registry import TenantRegistry
from domain.decision import EngineAnswer, PolicyDecision, PolicyInput, Verdict
from domain.observation import ENOUGH_DECISIONS, Observed, together
from tests.adapters.postgres.observed import CANDIDATE, FILE, an_observation
from tests.adapters.postgres.story import Story, a_refund, now
from tests.conftest import Databases, a_tenant

OTHER = "sha256:" + "d" * 64


async def test_batches_are_summed_by_candidate(story: Story) -> None:
    ticket, store = story.ticket, Observations(story.databases.app)
    decision = await story.decided()
    await store.add([an_observation(decision, ticket, decisions=3, unknown=1)])
    await store.add([an_observation(ticket, decisions=4, began_at=now() - timedelta(days=9))])
    await store.add([an_observation(ticket, decisions=5, candidate=OTHER)])
    records = ObservationRecords(story.databases.door)

    newest, earlier = await records.observed(ticket.tenant_id)

    assert (newest.candidate, newest.decisions) == (OTHER, 5)
    assert (earlier.candidate, earlier.decisions, earlier.different, earlier.unknown) == (CANDIDATE, 7, 1, 1)
    assert earlier.until - earlier.since > timedelta(days=8)
    assert await records.observed(ticket.tenant_id, file=FILE) == [newest, earlier]
    assert await records.observed(ticket.tenant_id, file=OTHER) == []


async def test_the_same_difference_is_kept_once(story: Story) -> None:
    decision = await story.decided()
    for _ in range(2):
        await Observations(story.databases.app).add([an_observation(decision, story.ticket)])
    records = ObservationRecords(story.databases.door)

    [rule] = await records.by_rule(story.ticket.tenant_id, CANDIDATE)

    assert (rule.decisions, rule.examples, rule.tickets) == (
        1,
        (decision.decision_id,),
        (story.ticket.ticket_id,),
    )
    assert (rule.verdict, rule.candidate_verdict, rule.must_hold) == (Verdict.ALLOW, Verdict.DENY, True)
    told = await DecisionRecords(story.databases.door).of_decision(
        story.ticket.tenant_id, decision.decision_id
    )
    assert told is not None
    assert [(each.candidate, each.candidate_verdict) for each in told.candidates] == [(CANDIDATE, "deny")]


async def test_examples_are_the_newest_and_bounded(story: Story) -> None:
    made = [await story.decided(proposed=a_refund(1000 + number), turn=number) for number in range(5)]
    for decision in made:
        await Observations(story.databases.app).add([an_observation(decision, story.ticket)])

    [rule] = await ObservationRecords(story.databases.door).by_rule(
        story.ticket.tenant_id, CANDIDATE, examples=2
    )

    assert rule.decisions == 5
    assert rule.examples == (made[4].decision_id, made[3].decision_id)


async def test_other_tenants_see_nothing(story: Story, registry: TenantRegistry) -> None:
    decision = await story.decided()
    await Observations(story.databases.app).add([an_observation(decision, story.ticket)])
    stranger, records = await a_tenant(registry), ObservationRecords(story.databases.door)

    assert await records.observed(stranger) == []
    assert await records.by_rule(stranger, CANDIDATE) == []


async def test_difference_needs_a_decision_of_the_same_tenant(story: Story, registry: TenantRegistry) -> None:
    decision = await story.decided()
    stranger = story.ticket.model_copy(update={"tenant_id": await a_tenant(registry)})

    with pytest.raises(DBAPIError, match="foreign key"):
        await Observations(story.databases.app).add([an_observation(decision, stranger)])


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("app", "select * from candidate_observations"),
        ("app", "update candidate_observations set decisions = 1000"),
        ("app", "delete from candidate_differences"),
        ("app", "insert into candidate_observations (tenant_id, ended_at) values (gen_random_uuid(), now())"),
        ("door", "insert into candidate_observations (tenant_id) values (gen_random_uuid())"),
        ("egress", "select * from candidate_differences"),
        ("relay", "select * from candidate_differences"),
    ],
)
async def test_the_worker_only_adds_and_the_door_only_reads(
    databases: Databases, role: str, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with getattr(databases, role).across_tenants() as session:
            await session.execute(text(statement))


async def test_not_even_the_owner_changes_what_was_seen(story: Story) -> None:
    await Observations(story.databases.app).add([an_observation(story.ticket)])

    with pytest.raises(DBAPIError, match="never changed"):
        async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
            await session.execute(text("update candidate_observations set decisions = 1000"))


async def test_decisions_are_offered_after_they_are_recorded(story: Story) -> None:
    offered: list[str] = []

    class Listening(CandidateObserver):
        """Remembers what it is offered."""

        def offer(self, made: object) -> None:
            assert isinstance(made, list | tuple)
            offered.extend(decision.decision_id for decision, _, _ in made)

    observer = Listening(policies=None, observations=None)  # type: ignore[arg-type]  # neither is asked
    story.decisions = PostgresDecisions(story.databases.app, observer.offer)
    decision = await story.decided()
    broken = PostgresDecisions(story.databases.egress, observer.offer)

    with pytest.raises(DBAPIError):
        await broken.record([_again(decision, story)], latency_us=1)

    assert offered == [decision.decision_id]


def _again(decision: PolicyDecision, story: Story) -> tuple[PolicyDecision, PolicyInput, EngineAnswer]:
    answer = EngineAnswer(verdict=decision.verdict, reasons=decision.reasons)
    return decision, story.policy_input(a_refund()), answer


def observed(days: float, decisions: int, unknown: int = 0, failed: int = 0, dropped: int = 0) -> Observed:
    until = now()
    return Observed(
        candidate=CANDIDATE,
        since=until - timedelta(days=days),
        until=until,
        decisions=decisions,
        different=0,
        unknown=unknown,
        failed=failed,
        dropped=dropped,
    )


@pytest.mark.parametrize(
    ("seen", "doubts"),
    [
        (observed(7, ENOUGH_DECISIONS), []),
        (observed(6.99, ENOUGH_DECISIONS), ["It was observed for 6 days, which is less than 7 days"]),
        (
            observed(0.1, ENOUGH_DECISIONS),
            ["It was observed for 2 hours, which is less than 7 days"],
        ),
        (
            observed(7, ENOUGH_DECISIONS, unknown=1),
            ["It was compared in 499 decisions, which is fewer than 500"],
        ),
        (
            observed(8, ENOUGH_DECISIONS + 9, failed=2, dropped=4),
            [
                "It gave no answer in 2 decisions",
                "4 decisions were not looked at, because too many waited",
            ],
        ),
    ],
)
def test_a_short_or_thin_observation_is_doubted(seen: Observed, doubts: list[str]) -> None:
    assert [*seen.doubts()] == doubts


def test_one_file_beside_others_is_summed() -> None:
    early, late = observed(9, 300, failed=1), observed(2, 400, unknown=3)

    summed = together([late, early])

    assert summed is not None
    assert (summed.since, summed.until) == (early.since, late.until)
    assert (summed.decisions, summed.unknown, summed.failed) == (700, 3, 1)
    assert together([]) is None
