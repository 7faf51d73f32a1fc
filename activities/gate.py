"""Ask the newest policy as the last thing before an effect is claimed. That decision is a row of its own.

The plan's decision still has to allow it, so the stricter of the two holds; the claim checks both again.
"""

from collections.abc import Mapping
from datetime import datetime
from time import perf_counter_ns
from typing import Any
from uuid import UUID

from activities.clock import Clock, wall_clock
from activities.policy import DenyingEngine, answers_of, decision_about
from activities.policy_input import Subjects, asked_of, named, to_the_minute
from domain.action import Refund
from domain.counting import Own
from domain.decision import CounterInput, Obligations, PolicyDecision, PolicyInput, Verdict
from domain.effect import Clearance, EffectIntent, Refusal
from domain.errors import BundleRefused, EngineUnavailable
from domain.fact import Money, OrderRecord
from domain.model import Code
from domain.ports import Decisions, Policies, PolicyEngine, Shop, WhatLeft


class Gate:
    """Repeating is safe: a decision about the same document has the same name."""

    def __init__(
        self,
        *,
        policies: Policies,
        decisions: Decisions,
        what_left: WhatLeft,
        shop: Shop,
        clock: Clock = wall_clock,
    ) -> None:
        self._policies = policies
        self._decisions = decisions
        self._what_left = what_left
        self._shop = shop
        self._clock = clock

    async def clear(
        self, intent: EffectIntent, record_ids: Mapping[str, str], read_at: datetime | None
    ) -> Clearance | Refusal:
        """For a first claim: money facts are read again. Raises `EngineUnavailable`, and as the shop does."""
        action = intent.proposed.action
        if not isinstance(action, Refund):
            return await self._decided(intent, None, None)
        order = await self._shop.order(intent.ticket.tenant_id, record_ids[action.order])
        left = _left(order)
        if left is None or left.currency != action.amount.currency:
            return Refusal.FACTS_CHANGED
        if left.minor_units < action.amount.minor_units:
            return Refusal.FACTS_CHANGED
        return await self._decided(intent, order, read_at)

    async def clear_again(self, intent: EffectIntent) -> Clearance | Refusal:
        """For one that was claimed: the shop may show it already, so its facts stay as they were."""
        return await self._decided(intent, None, None)

    async def _decided(
        self, intent: EffectIntent, order: OrderRecord | None, read_at: datetime | None
    ) -> Clearance | Refusal:
        planned = await self._decisions.decided(intent.ticket, intent.decision_id)
        if planned is None or planned[0].action_digest != intent.digest:
            return Refusal.NOT_ALLOWED
        engine = await self._newest(intent.ticket.tenant_id)
        counters = await self._counters(intent, engine)
        asked = _as_it_is_now(planned[1], to_the_minute(self._clock()), counters, order)
        decision = await self._decide(intent, engine, asked)
        return _refusal(intent, planned, decision, asked) or Clearance(
            decision.decision_id, _redactions(planned[0], decision), _left(order), read_at
        )

    async def _newest(self, tenant_id: UUID) -> PolicyEngine:
        """An earlier policy decides plans while the newest cannot be loaded; it lets nothing out."""
        try:
            return await self._policies.newest(tenant_id)
        except BundleRefused:
            return DenyingEngine()

    async def _counters(self, intent: EffectIntent, engine: PolicyEngine) -> dict[Code, CounterInput]:
        action, ticket = intent.proposed.action, intent.ticket
        subjects = Subjects(
            tenant_id=ticket.tenant_id,
            ticket_id=ticket.ticket_id,
            customer=intent.customer,
            order=action.order if isinstance(action, Refund) else None,
        )
        windows = subjects.windows(asked_of(engine, action.type))
        if not windows:
            return {}
        own = Own(ticket.ticket_id, key=intent.key)
        return named(await self._what_left.counted(ticket.tenant_id, windows, own), windows)

    async def _decide(self, intent: EffectIntent, engine: PolicyEngine, asked: PolicyInput) -> PolicyDecision:
        """An engine that fails has decided nothing, so there is no row of it."""
        began = perf_counter_ns()
        (answer,) = await answers_of(engine, [asked])
        latency_us = (perf_counter_ns() - began) // 1000
        if answer.engine_failed:
            raise EngineUnavailable
        decision = decision_about(intent.proposed, asked, answer, engine.version, intent.key)
        await self._decisions.record([(decision, asked, answer)], latency_us, intent.key)
        return decision


def _as_it_is_now(
    planned: PolicyInput, at: datetime, counters: dict[Code, CounterInput], order: OrderRecord | None
) -> PolicyInput:
    now: dict[str, Any] = {"schema_version": 2, "at": at, "counters": counters}
    left = _left(order)
    if order is not None and left is not None and planned.order is not None:
        now["order"] = planned.order.model_dump() | {
            "status": order.status,
            "delivered": order.delivered_at is not None,
            "total": order.total,
            "refundable": left,
        }
    return PolicyInput.model_validate(planned.model_dump() | now)


def _left(order: OrderRecord | None) -> Money | None:
    if order is None or order.refunded.currency != order.total.currency:
        return None
    units = order.total.minor_units - order.refunded.minor_units
    return Money(minor_units=max(units, 0), currency=order.total.currency)


def _refusal(
    intent: EffectIntent,
    planned: tuple[PolicyDecision, PolicyInput],
    now: PolicyDecision,
    asked: PolicyInput,
) -> Refusal | None:
    if now.verdict is Verdict.DENY:
        return Refusal.POLICY_DENIES
    if now.verdict is Verdict.APPROVAL_NEEDED and intent.approval_id is None:
        return Refusal.APPROVAL_NOW_NEEDED
    if _no_version_has_allowed_it(intent, planned, now, asked):
        return Refusal.POLICY_CHANGED
    return None


def _no_version_has_allowed_it(
    intent: EffectIntent,
    planned: tuple[PolicyDecision, PolicyInput],
    now: PolicyDecision,
    asked: PolicyInput,
) -> bool:
    """The version of the plan allowed money that nobody approved, on sums that are no longer true."""
    decision, seen = planned
    unasked_money = isinstance(intent.proposed.action, Refund) and intent.approval_id is None
    moved = bool(seen.counters) and seen.counters != asked.counters
    return unasked_money and moved and decision.policy_version != now.policy_version


def _redactions(*decisions: PolicyDecision) -> tuple[Code, ...]:
    """What any of them asks to be taken out."""
    asked = [decision.obligations or Obligations() for decision in decisions]
    return tuple(sorted({field for each in asked for field in each.redact_fields}))
