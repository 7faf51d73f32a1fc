"""Put proposed actions through policy: the one gate. Every decision is recorded with its whole input."""

from time import perf_counter_ns

from temporalio import activity

from activities.clock import Clock, wall_clock
from activities.policy_input import DecideInput, Surroundings, counters_of_plan, document, to_the_minute
from domain.action import ProposedAction
from domain.decision import (
    EngineAnswer,
    PolicyDecision,
    PolicyInput,
    Reason,
    ResidencyInput,
    Verdict,
    decision_id,
)
from domain.errors import BundleRefused
from domain.model import Digest, Model, digest_of
from domain.ports import Decisions, Policies, PolicyEngine, WhatLeft

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

    `decide` is `async` and evaluates on the loop's thread, because engines are bound to it.
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
        engine = await self._engine(input)
        asked_about = await self._documents(input, engine)
        began = perf_counter_ns()
        answered = [
            (proposed, asked, _answer(engine, asked))
            for proposed, asked in zip(input.actions, asked_about, strict=True)
        ]
        latency_us = (perf_counter_ns() - began) // 1000
        made = [
            (_decision(input, proposed, asked, answer, engine.version), asked, answer)
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

    async def _engine(self, input: DecideInput) -> PolicyEngine:
        try:
            return await self._policies.active(input.ticket.tenant_id)
        except BundleRefused:
            return DenyingEngine()


def denial(code: str) -> EngineAnswer:
    """Fail closed, with a reason."""
    return EngineAnswer(verdict=Verdict.DENY, reasons=(Reason(rule="fail_closed", code=code),))


def _answer(engine: PolicyEngine, asked: PolicyInput) -> EngineAnswer:
    try:
        return engine.decide(asked)
    except Exception:  # noqa: BLE001 - whatever an engine does, the answer must be a recorded deny
        return denial("engine_failed")


def _decision(
    input: DecideInput, proposed: ProposedAction, asked: PolicyInput, answer: EngineAnswer, bundle: Digest
) -> PolicyDecision:
    asked_digest = digest_of(asked)
    return PolicyDecision(
        decision_id=decision_id(input.ticket.ticket_id, input.turn, proposed.ordinal, asked_digest, bundle),
        action=proposed.action.type,
        verdict=answer.verdict,
        reasons=answer.reasons,
        obligations=answer.obligations,
        policy_version=bundle,
        action_digest=proposed.digest,
        input_digest=asked_digest,
    )
