"""Put proposed actions through policy: the one gate. Every decision is recorded with its whole input."""

from collections.abc import Sequence
from time import perf_counter_ns
from uuid import UUID

from temporalio import activity

from activities.clock import Clock, wall_clock
from activities.policy_input import DecideInput, Surroundings, counters_of_plan, document, to_the_minute
from domain.action import ProposedAction
from domain.decision import (
    ENGINE_FAILED,
    EngineAnswer,
    PolicyDecision,
    PolicyInput,
    Reason,
    ResidencyInput,
    Verdict,
    at_the_claim,
    decision_id,
)
from domain.errors import BundleRefused
from domain.model import Digest, EffectKey, Model, digest_of
from domain.placeholder import KINDS
from domain.ports import Decisions, Policies, PolicyEngine, RemotePolicyEngine, WhatLeft

NO_BUNDLE: Digest = "sha256:" + "0" * 64


class Decided(Model):
    """One decision per action, in the order of the plan."""

    decisions: tuple[PolicyDecision, ...]
    input_digest: Digest


class DenyingEngine:
    """Answers for a tenant whose bundle cannot be loaded: deny, and say so."""

    version = NO_BUNDLE

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        """Denies."""
        del input_
        return denial("no_bundle")


class PolicyActivities:
    """Decisions are named by their content and inserted once, so repeating is safe.

    `decide` is `async` and evaluates on the loop's thread, because engines are bound to it. One in another
    process has a second for the whole plan, so the step stays local.
    """

    def __init__(
        self,
        *,
        policies: Policies,
        decisions: Decisions,
        what_left: WhatLeft,
        residency: ResidencyInput | None = None,
        clock: Clock = wall_clock,
    ) -> None:
        self._policies = policies
        self._decisions = decisions
        self._what_left = what_left
        self._residency = residency
        self._clock = clock

    @activity.defn
    async def decide(self, input: DecideInput) -> Decided:
        """Decides the whole plan in one call and records it in one transaction."""
        engine = await _engine_of(self._policies, input.ticket.tenant_id)
        asked_about = await self._documents(input, engine)
        began = perf_counter_ns()
        answers = await answers_of(engine, asked_about)
        answered = zip(input.actions, asked_about, answers, strict=True)
        latency_us = (perf_counter_ns() - began) // 1000
        made = [
            (decision_about(proposed, asked, answer, engine.version), asked, answer)
            for proposed, asked, answer in answered
        ]
        await self._decisions.record(made, latency_us)
        return Decided(decisions=tuple(entry[0] for entry in made), input_digest=digest_of(input))

    async def _documents(self, input: DecideInput, engine: PolicyEngine) -> list[PolicyInput]:
        at = to_the_minute(self._clock())
        counters = await counters_of_plan(input, engine, self._what_left)
        return [
            document(input, proposed, Surroundings(at, self._residency, counted))
            for proposed, counted in zip(input.actions, counters, strict=True)
        ]


async def _engine_of(policies: Policies, tenant_id: UUID) -> PolicyEngine:
    """One that denies everything where the tenant's bundle cannot be loaded."""
    try:
        return await policies.active(tenant_id)
    except BundleRefused:
        return DenyingEngine()


def denial(code: str) -> EngineAnswer:
    """Fail closed, with a reason."""
    return EngineAnswer(verdict=Verdict.DENY, reasons=(Reason(rule="fail_closed", code=code),))


async def answers_of(engine: PolicyEngine, asked: Sequence[PolicyInput]) -> Sequence[EngineAnswer]:
    """In the same order; a denial where it fails. An engine in another process is asked once for all."""
    if not isinstance(engine, RemotePolicyEngine):
        return [_answer(engine, each) for each in asked]
    failed = [denial(ENGINE_FAILED) for _ in asked]
    try:
        answers = await engine.decide_plan(asked)
    except Exception:  # noqa: BLE001 - the same as below
        return failed
    return [_that_can_be_done(each) for each in answers] if len(answers) == len(asked) else failed


def _answer(engine: PolicyEngine, asked: PolicyInput) -> EngineAnswer:
    try:
        return _that_can_be_done(engine.decide(asked))
    except BaseException as error:
        # Whatever an engine does, the answer must be a deny; a native panic is no `Exception`.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            return denial(ENGINE_FAILED)
        raise


def _that_can_be_done(answer: EngineAnswer) -> EngineAnswer:
    redacted = answer.obligations.redact_fields if answer.obligations else ()
    if answer.verdict is not Verdict.DENY and not KINDS.keys() >= set(redacted):
        return denial("kind_unknown")
    return answer


def decision_about(
    proposed: ProposedAction,
    asked: PolicyInput,
    answer: EngineAnswer,
    bundle: Digest,
    effect: EffectKey | None = None,
) -> PolicyDecision:
    """What is recorded and passed on; `effect` where that is about to leave."""
    asked_digest = digest_of(asked)
    id_ = decision_id(asked.ticket_id, asked.ticket.turn, proposed.ordinal, asked_digest, bundle)
    return PolicyDecision(
        decision_id=id_ if effect is None else at_the_claim(id_, effect),
        action=proposed.action.type,
        verdict=answer.verdict,
        reasons=answer.reasons,
        obligations=answer.obligations,
        policy_version=bundle,
        action_digest=proposed.digest,
        input_digest=asked_digest,
    )
