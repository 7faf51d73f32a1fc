"""The gate: complete inputs, recorded once, and closed whenever something is wrong."""

from collections.abc import Callable
from uuid import UUID

import pytest

from activities.policy import NO_BUNDLE, PolicyActivities, denial
from activities.policy_input import DecideInput
from adapters.in_memory import InMemoryPolicies, ScriptedEngine
from domain.action import ProposedAction, Refund, SetStatus
from domain.decision import EngineAnswer, PolicyInput, Verdict
from domain.errors import BundleRefused
from domain.fact import Money
from domain.ports import PolicyEngine
from domain.ticket import Mode, Owner, TicketStatus
from tests.office import TICKET, Office
from tests.policies_of_tests import FarAway, OutOfReach

STATUS = ProposedAction(ordinal=3, action=SetStatus(status=TicketStatus.SOLVED))
REFUND = ProposedAction(
    ordinal=0,
    action=Refund(
        order="order_" + "0" * 24,
        payment="payment_" + "0" * 24,
        amount=Money(minor_units=1, currency="EUR"),
        playbook="any",
    ),
)


def plan(*actions: ProposedAction) -> DecideInput:
    return DecideInput(ticket=TICKET, turn=1, mode=Mode.AUTOMATE, owner=Owner.AUTOMATION, actions=actions)


def gate(office: Office, policies: InMemoryPolicies | None = None) -> PolicyActivities:
    office.policies = policies or office.policies
    return office.policy()


class NoBundle(InMemoryPolicies):
    async def active(self, tenant_id: UUID, agent: str = "support_agent") -> PolicyEngine:
        del tenant_id, agent
        raise BundleRefused("it is empty")


def broken(_: PolicyInput) -> EngineAnswer:
    raise RuntimeError


class PanicException(BaseException):
    """As a native engine raises it."""


def panicking(_: PolicyInput) -> EngineAnswer:
    raise PanicException


async def test_plan_is_decided_in_order_and_kept_once() -> None:
    office = Office()

    for _ in range(2):
        decided = await gate(office).decide(plan(STATUS, REFUND))

    assert [made.action_digest for made in decided.decisions] == [STATUS.digest, REFUND.digest]
    assert len(office.decisions.made) == 2


async def test_money_without_a_fact_is_denied() -> None:
    decided = await gate(Office()).decide(plan(REFUND))

    assert decided.decisions[0].verdict is Verdict.DENY


@pytest.mark.parametrize("script", [broken, panicking])
async def test_engine_that_breaks_denies(script: Callable[[PolicyInput], EngineAnswer]) -> None:
    decided = await gate(Office(), InMemoryPolicies(ScriptedEngine(script))).decide(plan(STATUS))

    assert decided.decisions[0].verdict is Verdict.DENY
    assert decided.decisions[0].reasons[0].code == "engine_failed"


async def test_engine_in_another_process_is_asked_once_for_the_whole_plan() -> None:
    engine = FarAway(denial("first"), EngineAnswer(verdict=Verdict.ALLOW, reasons=()))

    decided = await gate(Office(), InMemoryPolicies(engine)).decide(plan(STATUS, REFUND))

    assert [made.verdict for made in decided.decisions] == [Verdict.DENY, Verdict.ALLOW]
    assert [[asked.action.type for asked in inputs] for inputs in engine.asked] == [["set_status", "refund"]]


@pytest.mark.parametrize("engine", [OutOfReach(), FarAway(), FarAway(denial("one"))])
async def test_engine_in_another_process_that_fails_denies_the_whole_plan(engine: FarAway) -> None:
    decided = await gate(Office(), InMemoryPolicies(engine)).decide(plan(STATUS, REFUND))

    assert [made.verdict for made in decided.decisions] == [Verdict.DENY] * 2
    assert {made.reasons[0].code for made in decided.decisions} == {"engine_failed"}


async def test_tenant_without_a_bundle_is_denied_everything() -> None:
    decided = await gate(Office(), NoBundle()).decide(plan(STATUS))

    assert decided.decisions[0].verdict is Verdict.DENY
    assert decided.decisions[0].policy_version == NO_BUNDLE
