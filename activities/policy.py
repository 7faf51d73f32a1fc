"""Put proposed actions through policy: the one gate. Every decision is recorded with its whole input."""

from collections.abc import Sequence
from time import perf_counter_ns

from pydantic import Field
from temporalio import activity

from domain.action import Action, ActionType, AddTags, ProposedAction, Refund, Reply, SetStatus, risk_band
from domain.decision import (
    ActionInput,
    Channel,
    EngineAnswer,
    OrderInput,
    PolicyDecision,
    PolicyInput,
    Reason,
    TicketInput,
    Verdict,
    decision_id,
)
from domain.errors import BundleRefused
from domain.fact import Facts, OrderFact
from domain.model import Digest, Model, digest_of
from domain.ports import Decisions, Policies, PolicyEngine
from domain.ticket import Mode, Owner, TicketRef
from domain.triage import Triage

NO_BUNDLE: Digest = "sha256:" + "0" * 64
SEEN_BY_CUSTOMERS = frozenset({ActionType.REPLY, ActionType.REFUND})


class DecideInput(Model):
    """A plan, and what policy may know of its ticket."""

    ticket: TicketRef
    turn: int = Field(ge=0)
    mode: Mode
    owner: Owner
    actions: tuple[ProposedAction, ...]
    triage: Triage | None = None
    facts: Facts | None = None


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

    def __init__(self, *, policies: Policies, decisions: Decisions) -> None:
        self._policies = policies
        self._decisions = decisions

    @activity.defn
    async def decide(self, input: DecideInput) -> Decided:
        """Decides the whole plan in one call and records it in one transaction."""
        engine = await self._engine(input)
        began = perf_counter_ns()
        answered = [
            (proposed, asked := _asked(input, proposed), _answer(engine, asked)) for proposed in input.actions
        ]
        latency_us = (perf_counter_ns() - began) // 1000
        made = [
            (_decision(input, proposed, asked, answer, engine.version), asked, answer)
            for proposed, asked, answer in answered
        ]
        await self._decisions.record(made, latency_us)
        return Decided(decisions=tuple(entry[0] for entry in made), input_digest=digest_of(input))

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


def _asked(input: DecideInput, proposed: ProposedAction) -> PolicyInput:
    facts = input.facts
    return PolicyInput(
        tenant_id=input.ticket.tenant_id,
        ticket_id=input.ticket.ticket_id,
        mode=input.mode,
        channel=Channel.PUBLIC if proposed.action.type in SEEN_BY_CUSTOMERS else Channel.INTERNAL,
        action=_action(proposed),
        ticket=_ticket(input),
        requester_known=facts is not None and facts.requester_known,
        order=_order(_order_meant(proposed.action, facts)),
    )


def _action(proposed: ProposedAction) -> ActionInput:
    action = proposed.action
    return ActionInput(
        type=action.type,
        band=risk_band(action),
        digest=proposed.digest,
        amount=action.amount if isinstance(action, Refund) else None,
        status=action.status if isinstance(action, SetStatus) else None,
        tags=action.tags if isinstance(action, AddTags) else (),
        zones=action.zones if isinstance(action, Reply) else (),
    )


def _ticket(input: DecideInput) -> TicketInput:
    triage = input.triage
    if triage is None:
        return TicketInput(owner=input.owner, turn=input.turn)
    return TicketInput(
        intent=triage.intent,
        queue=triage.queue,
        priority=triage.priority,
        confidence_permille=triage.confidence_permille,
        signals=triage.signals,
        owner=input.owner,
        turn=input.turn,
    )


def _order_meant(action: Action, facts: Facts | None) -> OrderFact | None:
    """A refund's own order; else the one in question."""
    if facts is None:
        return None
    if isinstance(action, Refund):
        return _by_id(facts.orders, action)
    return facts.order_in_question


def _by_id(orders: Sequence[OrderFact], refund: Refund) -> OrderFact | None:
    return next((order for order in orders if order.id == refund.order), None)


def _order(order: OrderFact | None) -> OrderInput | None:
    if order is None:
        return None
    return OrderInput(
        status=order.status,
        owner_is_requester=order.owner_is_requester,
        delivered=order.delivered_at is not None,
        total=order.total,
        refundable=order.refundable,
    )
