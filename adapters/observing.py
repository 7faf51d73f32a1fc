"""Puts decisions to the tenant's candidate policy after they were recorded. It decides nothing.

What is decided is only laid down here; a round of its own looks at it later and leaves most of the loop's
time to those who decide. Whatever a candidate does, no decision waits for it or hears of it.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter, thread_time
from typing import NamedTuple, Protocol
from uuid import UUID

import structlog

from adapters.http import utc_now
from adapters.policy.effective import Effective
from adapters.policy.kept import KeptPolicy
from adapters.policy.past import Judge, Outcome, Past, Redecided, beside
from adapters.policy.published import file_versions
from domain.decision import EngineAnswer, PolicyDecision, PolicyInput
from domain.model import Digest
from domain.observation import Difference, Observation
from domain.ports import PolicyEngine

MOST_WAITING = 2000
BATCH = 50  # what a stopping worker finishes
# After each decision it rests so many times as long as it took: a twentieth of the loop's time at most.
REST = 19
# More work than this for one decision, and the candidate is not asked again by this process.
TOO_SLOW_S = 0.05
MOST_JUDGES = 64
Made = tuple[PolicyDecision, PolicyInput, EngineAnswer]
log = structlog.get_logger()


class Policies(Protocol):
    """What is tried, and beside what."""

    async def active(self, tenant_id: UUID, agent: str) -> PolicyEngine:
        """What decides."""
        ...

    async def candidate(self, tenant_id: UUID, agent: str) -> PolicyEngine | None:
        """None where nothing is tried."""
        ...


class Observations(Protocol):
    """Where it is kept."""

    async def add(self, observations: Sequence[Observation]) -> None:
        """Of one tenant."""
        ...


class Tried(NamedTuple):
    """A candidate's engine with what explains it."""

    engine: PolicyEngine
    judge: Judge
    files: tuple[Digest, ...]  # that are not in force


@dataclass
class _Batch:
    """What is counted of one candidate of one tenant."""

    tried: Tried
    began_at: datetime
    counts: Counter[str] = field(default_factory=Counter)
    differences: dict[str, Difference] = field(default_factory=dict)

    def observation(self, tenant_id: UUID, dropped: int) -> Observation:
        return Observation(
            tenant_id=tenant_id,
            candidate=self.tried.engine.version,
            files=self.tried.files,
            began_at=self.began_at,
            dropped=dropped,
            differences=tuple(self.differences.values()),
            **self.counts,
        )


class CandidateObserver:
    """One for a process. `offer` is for those who decide, `round` for the loop that looks."""

    def __init__(
        self,
        policies: Policies,
        observations: Observations,
        *,
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._policies = policies
        self._observations = observations
        self._most_waiting = most_waiting
        self._clock = clock
        self._waiting: deque[Made] = deque()
        self._dropped: Counter[UUID] = Counter()
        self._tried: OrderedDict[Digest, Tried] = OrderedDict()
        self._too_slow: set[Digest] = set()

    def offer(self, made: Sequence[Made]) -> None:
        """Lays decisions down; where too many wait, they are counted and forgotten. Never raises or waits."""
        for each in made:
            if len(self._waiting) < self._most_waiting:
                self._waiting.append(each)
            else:
                self._dropped[each[1].tenant_id] += 1

    async def round(self) -> bool:
        """Looks at a batch. Whether more are waiting."""
        batches: dict[tuple[UUID, Digest], _Batch] = {}
        engines: dict[tuple[UUID, str], Tried | None] = {}
        try:
            for _ in range(min(BATCH, len(self._waiting))):
                made = self._waiting.popleft()
                tenant_id, agent = made[1].tenant_id, made[1].agent.id
                if (tenant_id, agent) not in engines:
                    engines[tenant_id, agent] = await self._candidate(tenant_id, agent)
                tried = engines[tenant_id, agent]
                if tried is not None:
                    key = tenant_id, tried.engine.version
                    batch = batches.setdefault(key, _Batch(tried, self._clock()))
                    await asyncio.sleep(REST * self._observe(batch, made))
        finally:
            await self._keep(batches)
        return bool(self._waiting)

    async def _candidate(self, tenant_id: UUID, agent: str) -> Tried | None:
        engine = await self._policies.candidate(tenant_id, agent)
        if engine is None:
            return None
        if engine.version not in self._tried:
            policy = _policy_of(engine)
            if policy is None:
                return None
            active = _policy_of(await self._policies.active(tenant_id, agent))
            in_force = file_versions(active, agent) if active else ()
            files = tuple(each for each in file_versions(policy, agent) if each not in in_force)
            self._tried[engine.version] = Tried(engine, Judge(policy), files)
            if len(self._tried) > MOST_JUDGES:
                self._tried.popitem(last=False)
        return self._tried[engine.version]

    def _observe(self, batch: _Batch, made: Made) -> float:
        """Counts one decision. How long the loop stood still for it, in seconds."""
        batch.counts["decisions"] += 1
        engine = batch.tried.engine
        if engine.version in self._too_slow:
            batch.counts["failed"] += 1
            return 0.0
        stood, began = perf_counter(), thread_time()
        try:
            _count(batch, made, engine.decide(made[1]))
        except Exception as error:  # noqa: BLE001 - what is only tried may do anything
            batch.counts["failed"] += 1
            log.warning("candidate_failed", version=engine.version, error=type(error).__name__)
        worked = thread_time() - began
        if worked > TOO_SLOW_S:
            self._too_slow.add(engine.version)
            log.warning("candidate_too_slow", version=engine.version, worked_s=round(worked, 3))
        return perf_counter() - stood

    async def _keep(self, batches: Mapping[tuple[UUID, Digest], _Batch]) -> None:
        by_tenant: dict[UUID, list[Observation]] = {}
        for (tenant_id, _), batch in batches.items():
            kept = by_tenant.setdefault(tenant_id, [])
            kept.append(batch.observation(tenant_id, 0 if kept else self._dropped.pop(tenant_id, 0)))
        for tenant_id, observations in by_tenant.items():
            try:
                await self._observations.add(observations)
            except Exception:
                self._dropped[tenant_id] += sum(each.decisions + each.dropped for each in observations)
                raise


def _policy_of(engine: PolicyEngine) -> Effective | None:
    """None of one that denies everything."""
    match getattr(engine, "policy", None):
        case KeptPolicy() as kept:
            return kept.whole()
        case Effective() as policy:
            return policy
        case _:
            return None


def _count(batch: _Batch, made: Made, answer: EngineAnswer) -> None:
    if answer.engine_failed:
        batch.counts["failed"] += 1
        return
    decided = beside(_past(made), answer, batch.tried.judge)
    if decided.outcome is Outcome.UNKNOWN:
        batch.counts["unknown"] += 1
    elif decided.outcome is Outcome.FLIPS:
        batch.differences[made[0].decision_id] = _difference(made, decided)


def _past(made: Made) -> Past:
    decision, input_, answer = made
    text = input_.model_dump_json(exclude_none=True)
    recorded = EngineAnswer(
        verdict=decision.verdict, reasons=answer.reasons, obligations=decision.obligations
    )
    return Past(text, input_.model_dump(mode="json", exclude_none=True), recorded)


def _difference(made: Made, decided: Redecided) -> Difference:
    decision, input_, _ = made
    return Difference(
        decision_id=decision.decision_id,
        active=decision.policy_version,
        ticket_id=input_.ticket_id,
        action_type=input_.action.type,
        verdict=decided.before.verdict,
        candidate_verdict=decided.after.verdict,
        rules=tuple(decided.rules),
        must_hold=tuple(sorted(decided.held)),
        reasons=decided.after.reasons,
        obligations=decided.after.obligations,
    )
