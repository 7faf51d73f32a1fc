"""A candidate beside the policy that decides: what is counted, and that it can do no harm."""

import asyncio
from collections.abc import Sequence
from time import thread_time
from uuid import UUID

import pytest
from pydantic import JsonValue

from adapters.observing import BATCH, TOO_SLOW_S, CandidateObserver, Made
from adapters.policy.bundle import Level
from adapters.policy.effective import alone, effective
from adapters.policy.file import parse
from adapters.policy.published import published
from adapters.policy.tables import Document, pack
from adapters.regorus import ENGINE_FAILED, RegorusEngine
from domain.decision import EngineAnswer, PolicyDecision, PolicyInput, Verdict, decision_id
from domain.model import digest_of
from domain.observation import Observation
from domain.ports import PolicyEngine
from tests.adapters.policy_inputs import as_input, other, refund

TEXT = pack("support_default").read_text()
LOWER = TEXT.replace('"50.00"', '"20.00"')
OFFICE_HOURS = TEXT.replace(
    "    threshold:", "    hours: {zone: UTC, open: {daily: ['09:00-17:00']}}\n    threshold:"
)
ACTIVE = RegorusEngine(alone(parse(TEXT)))
TENANT, STRANGER = UUID(int=1), UUID(int=9)


class Kept:
    """Remembers observations."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []

    async def add(self, observations: Sequence[Observation]) -> None:
        self.observations += observations


class Lost(Kept):
    """Is down at first."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 1

    async def add(self, observations: Sequence[Observation]) -> None:
        if self.times:
            self.times -= 1
            raise ConnectionError
        await super().add(observations)


class Tries:
    """The same candidate for one tenant, none for others."""

    def __init__(self, engine: PolicyEngine | None) -> None:
        self.engine = engine

    async def active(self, tenant_id: UUID, agent: str = "support_agent") -> PolicyEngine:
        assert (tenant_id, agent) == (TENANT, "support_agent")
        return ACTIVE

    async def candidate(self, tenant_id: UUID, agent: str = "support_agent") -> PolicyEngine | None:
        assert agent
        return self.engine if tenant_id == TENANT else None


class Crashing(RegorusEngine):
    """Fails at every decision."""

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        raise RuntimeError(str(input_.ticket_id))


class Silent(RegorusEngine):
    """Answers as an engine that failed inside."""

    def decide(self, input_: PolicyInput) -> EngineAnswer:  # noqa: ARG002 - the port's signature
        return ENGINE_FAILED


class Slow(RegorusEngine):
    """Works far too long."""

    asked = 0

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        type(self).asked += 1
        began = thread_time()
        while thread_time() - began < 2 * TOO_SLOW_S:
            pass
        return super().decide(input_)


def candidate(text: str, kind: type[RegorusEngine] = RegorusEngine) -> RegorusEngine:
    return kind(alone(parse(text)))


def made(document: Document, tenant_id: UUID = TENANT, turn: int = 0) -> Made:
    ticket: JsonValue = {"owner": "automation", "turn": turn, "signals": []}
    input_ = as_input(document | {"tenant_id": str(tenant_id), "ticket": ticket})
    answer = ACTIVE.decide(input_)
    decision = PolicyDecision(
        decision_id=decision_id(input_.ticket_id, turn, 0, digest_of(input_), ACTIVE.version),
        verdict=answer.verdict,
        reasons=answer.reasons,
        obligations=answer.obligations,
        policy_version=ACTIVE.version,
        action_digest=input_.action.digest,
        input_digest=digest_of(input_),
    )
    return decision, input_, answer


async def observed(engine: PolicyEngine | None, *decisions: Made) -> list[Observation]:
    kept = Kept()
    observer = CandidateObserver(Tries(engine), kept)
    observer.offer(decisions)
    assert await observer.round() is False
    return kept.observations


async def test_differences_are_kept_and_everything_is_counted() -> None:
    tried = candidate(LOWER)
    flipped = made(refund(4000))

    [batch] = await observed(tried, made(refund(2000)), flipped, made(other("private_note")))

    assert (batch.tenant_id, batch.candidate, batch.decisions) == (TENANT, tried.version, 3)
    assert batch.files == (published(parse(LOWER)).version,)
    [difference] = batch.differences
    assert difference.decision_id == flipped[0].decision_id
    assert difference.active == ACTIVE.version
    assert (difference.verdict, difference.candidate_verdict) == (Verdict.ALLOW, Verdict.APPROVAL_NEEDED)
    assert (difference.rules, difference.must_hold) == (("refunds_by_amount",), ("refunds_by_amount",))
    assert difference.obligations is not None


async def test_only_files_that_are_not_in_force_are_tried() -> None:
    organisation = parse(LOWER)
    both = effective({Level.ORGANISATION: organisation, Level.TENANT: parse(TEXT)})

    [batch] = await observed(RegorusEngine(both), made(refund(2000)))

    assert batch.files == (published(organisation, Level.ORGANISATION).version,)


async def test_other_terms_are_a_difference() -> None:
    [batch] = await observed(candidate(TEXT.replace("quorum: 1", "quorum: 2")), made(refund(6000)))

    assert [each.candidate_verdict for each in batch.differences] == [Verdict.APPROVAL_NEEDED]


async def test_what_the_candidate_asks_for_and_nobody_looked_up_is_no_difference() -> None:
    [batch] = await observed(candidate(OFFICE_HOURS), made(refund(2000)))

    assert (batch.decisions, batch.unknown, batch.differences) == (1, 1, ())


async def test_without_a_candidate_nothing_is_kept() -> None:
    assert await observed(None, made(refund(2000))) == []
    assert await observed(candidate(LOWER), made(refund(4000), STRANGER)) == []


async def test_crashing_candidate_is_counted_and_nobody_hears_of_it() -> None:
    [batch] = await observed(candidate(LOWER, Crashing), made(refund(2000)), made(refund(4000)))

    assert (batch.decisions, batch.failed, batch.differences) == (2, 2, ())


async def test_engine_that_cannot_answer_is_no_difference() -> None:
    [batch] = await observed(candidate(LOWER, Silent), made(refund(4000)))

    assert (batch.decisions, batch.failed, batch.differences) == (1, 1, ())


async def test_slow_candidate_is_asked_once_and_never_again() -> None:
    Slow.asked = 0

    [batch] = await observed(candidate(LOWER, Slow), *[made(refund(4000), turn=turn) for turn in range(5)])

    assert (Slow.asked, batch.decisions, batch.failed) == (1, 5, 4)


async def test_more_than_can_wait_is_counted_as_dropped() -> None:
    kept = Kept()
    observer = CandidateObserver(Tries(candidate(LOWER)), kept, most_waiting=2)

    observer.offer([made(refund(4000), turn=turn) for turn in range(5)])
    await observer.round()

    [batch] = kept.observations
    assert (batch.decisions, batch.dropped) == (2, 3)


async def test_observations_that_could_not_be_kept_count_as_dropped() -> None:
    kept = Lost()
    observer = CandidateObserver(Tries(candidate(LOWER)), kept)

    observer.offer([made(refund(4000)), made(refund(4000), turn=1)])
    with pytest.raises(ConnectionError):
        await observer.round()
    observer.offer([made(refund(4000), turn=2)])
    await observer.round()

    [batch] = kept.observations
    assert (batch.decisions, batch.dropped) == (1, 2)


async def test_those_who_decide_are_let_in_between() -> None:
    observer = CandidateObserver(Tries(candidate(LOWER)), Kept())
    observer.offer([made(refund(4000), turn=turn) for turn in range(20)])
    turns = 0

    async def decides() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    deciding = asyncio.create_task(decides())
    await observer.round()
    deciding.cancel()

    assert turns >= 20


async def test_round_takes_a_bounded_batch_and_says_that_more_wait() -> None:
    observer = CandidateObserver(Tries(None), Kept())
    observer.offer([made(refund(4000))] * (BATCH + 1))

    assert await observer.round() is True
    assert await observer.round() is False
