"""What policy is told: the document that a decision is made from, complete and without a text."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from domain.action import Action, ActionType, AddTags, ProposedAction, Refund, Reply, SetStatus, risk_band
from domain.counting import Counter, Own, Per, Window
from domain.decision import (
    ActionInput,
    Channel,
    CounterInput,
    IdentityInput,
    OrderInput,
    PolicyInput,
    Purpose,
    ResidencyInput,
    TicketInput,
)
from domain.fact import Facts, OrderFact
from domain.model import Code, Model, RecordId
from domain.ports import CountingEngine, PolicyEngine, WhatLeft
from domain.ticket import Mode, Owner, TicketRef
from domain.triage import Signal, Triage

SEEN_BY_CUSTOMERS = frozenset({ActionType.REPLY, ActionType.REFUND})
# What speaks for the identity of who asks.
ACCOUNT_ADDRESS = "account_address"  # they write from the address of an account of the shop
OWN_ORDER_NAMED = "own_order_named"  # they name an order of that account


class DecideInput(Model):
    """A plan, and what policy may know of its ticket."""

    ticket: TicketRef
    turn: int = Field(ge=0)
    mode: Mode
    owner: Owner
    actions: tuple[ProposedAction, ...]
    triage: Triage | None = None
    facts: Facts | None = None


class Surroundings(NamedTuple):
    """What does not come from the ticket."""

    at: datetime
    residency: ResidencyInput | None
    counters: Mapping[Code, CounterInput]


class Subjects(NamedTuple):
    """Whose windows an action counts in."""

    tenant_id: UUID
    ticket_id: UUID
    customer: RecordId | None
    order: RecordId | None

    def windows(self, asked: Sequence[Counter]) -> tuple[Window, ...]:
        """Without those of nobody: a counter that is not there denies."""
        subjects = {
            Per.TENANT: str(self.tenant_id),
            Per.TICKET: str(self.ticket_id),
            Per.CUSTOMER: self.customer,
            Per.ORDER: self.order,
        }
        return tuple(
            Window(counter, subject) for counter in asked if (subject := subjects[counter.per]) is not None
        )


def asked_of(engine: PolicyEngine, action: ActionType) -> Sequence[Counter]:
    """What the engine's policy asks to be counted."""
    return engine.policy.counters_of(action) if isinstance(engine, CountingEngine) else ()


def named(counted: Mapping[Window, CounterInput], windows: Sequence[Window]) -> dict[Code, CounterInput]:
    """As the input holds them."""
    return {window.counter.key: counted[window] for window in windows}


def to_the_minute(moment: datetime) -> datetime:
    """UTC. A step that is repeated at once decides about the same document."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


async def counters_of_plan(
    input: DecideInput, engine: PolicyEngine, what_left: WhatLeft
) -> list[dict[Code, CounterInput]]:
    """The counters of each action, in one question for all."""
    windows = [
        subjects_of(input, proposed.action).windows(asked_of(engine, proposed.action.type))
        for proposed in input.actions
    ]
    every = tuple(dict.fromkeys(window for several in windows for window in several))
    own = Own(input.ticket.ticket_id, tuple(proposed.digest for proposed in input.actions))
    counted = await what_left.counted(input.ticket.tenant_id, every, own) if every else {}
    return [named(counted, several) for several in windows]


def subjects_of(input: DecideInput, action: Action) -> Subjects:
    """The customer is unknown where the order is somebody else's."""
    order = order_meant(action, input.facts)
    theirs = order is None or order.owner_is_requester
    return Subjects(
        tenant_id=input.ticket.tenant_id,
        ticket_id=input.ticket.ticket_id,
        customer=input.facts.customer if input.facts is not None and theirs else None,
        order=action.order if isinstance(action, Refund) else None,
    )


def document(input: DecideInput, proposed: ProposedAction, around: Surroundings) -> PolicyInput:
    """Whole. `consent` is absent: nobody records it yet, so a rule that asks for it denies."""
    facts = input.facts
    return PolicyInput(
        tenant_id=input.ticket.tenant_id,
        ticket_id=input.ticket.ticket_id,
        mode=input.mode,
        channel=Channel.PUBLIC if proposed.action.type in SEEN_BY_CUSTOMERS else Channel.INTERNAL,
        at=around.at,
        purpose=Purpose.SUPPORT,
        identity=_identity(input),
        residency=around.residency,
        counters=dict(around.counters),
        action=_action(proposed),
        ticket=_ticket(input),
        requester_known=facts is not None and facts.requester_known,
        order=_order(order_meant(proposed.action, facts)),
    )


def order_meant(action: Action, facts: Facts | None) -> OrderFact | None:
    """A refund's own order; else the one in question."""
    if facts is None:
        return None
    return facts.order(action.order) if isinstance(action, Refund) else facts.order_in_question


def _identity(input: DecideInput) -> IdentityInput | None:
    """Unknown before facts were looked up. In doubt, nothing verifies."""
    facts = input.facts
    if facts is None or input.triage is None:
        return None
    evidence = {
        ACCOUNT_ADDRESS: facts.requester_known,
        OWN_ORDER_NAMED: any(order.mentioned and order.owner_is_requester for order in facts.orders),
    }
    return IdentityInput(
        verified=facts.requester_known and Signal.IDENTITY_IN_DOUBT not in input.triage.signals,
        evidence=tuple(code for code, speaks in evidence.items() if speaks),
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
