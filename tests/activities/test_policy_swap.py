"""Policies change while thousands of decisions are made: none is dropped, each is one policy's."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID, uuid4

from activities.policy import PolicyActivities
from activities.policy_input import DecideInput
from adapters.active_policies import ActivePolicies, load
from adapters.in_memory import InMemoryWhatLeft
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.tables import pack
from domain.decision import EngineAnswer, PolicyDecision, PolicyInput, Verdict
from domain.model import DecisionId, EffectKey
from domain.ticket import Mode, Owner, TicketRef
from tests.activities.test_policy_input import triage
from tests.adapters.test_active_policies import STRICTER, TENANT, TEXT, InMemoryPolicyStore
from tests.office import Office
from tests.planned import a_refund, facts

DECISIONS = 5000
AT_ONCE = 8
SWAP_EVERY = 250
AMOUNT = 30_00  # goes out by itself under the one, needs a person under the other
VERDICTS = {
    alone(parse(pack("support_default").read_text())).version: Verdict.ALLOW,
    alone(parse(pack("support_default").read_text().replace('"50.00"', '"20.00"'))).version: (
        Verdict.APPROVAL_NEEDED
    ),
}


class CountedDecisions:
    """The log, which must not lose or mix anything."""

    def __init__(self) -> None:
        self.made: list[tuple[PolicyDecision, PolicyInput]] = []

    async def record(
        self,
        made: Sequence[tuple[PolicyDecision, PolicyInput, EngineAnswer]],
        latency_us: int,
        effect: EffectKey | None = None,
    ) -> None:
        del latency_us, effect
        await asyncio.sleep(0)
        self.made += [(decision, input_) for decision, input_, _ in made]

    async def decided(
        self, ticket: TicketRef, decision_id: DecisionId
    ) -> tuple[PolicyDecision, PolicyInput] | None:
        raise NotImplementedError


def a_plan() -> DecideInput:
    ticket = TicketRef(tenant_id=TENANT, route=uuid4().hex)
    return DecideInput(
        ticket=ticket,
        turn=1,
        mode=Mode.AUTOMATE,
        owner=Owner.AUTOMATION,
        actions=(a_refund(AMOUNT),),
        triage=triage(),
        facts=facts(),
    )


async def test_policies_that_are_swapped_drop_no_decision_and_each_names_one_version() -> None:
    store, log = InMemoryPolicyStore(), CountedDecisions()
    store.activate(TEXT)
    steps = PolicyActivities(
        policies=ActivePolicies(store, load), decisions=log, what_left=InMemoryWhatLeft(Office().ledger)
    )
    plans = iter([a_plan() for _ in range(DECISIONS)])
    asked: list[UUID] = []

    async def decide() -> None:
        for plan in plans:
            asked.append(plan.ticket.ticket_id)
            if len(asked) % SWAP_EVERY == 0:
                store.activate(TEXT if len(asked) % (2 * SWAP_EVERY) == 0 else STRICTER)
            (answered,) = (await steps.decide(plan)).decisions
            assert answered.verdict is VERDICTS[answered.policy_version]

    await asyncio.gather(*(decide() for _ in range(AT_ONCE)))

    assert Counter(input_.ticket_id for _, input_ in log.made) == Counter(asked)
    assert len(log.made) == DECISIONS
    versions = Counter(decision.policy_version for decision, _ in log.made)
    assert versions.keys() == VERDICTS.keys()
    assert min(versions.values()) > DECISIONS // 4
