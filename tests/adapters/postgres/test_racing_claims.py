"""Windows are exact among claims that race, and an order is never paid back twice."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from activities.gate import Gate
from adapters.in_memory import InMemoryPolicies
from adapters.postgres.ledger import CLAIM, claim_arguments
from adapters.postgres.tenant_registry import TenantRegistry
from adapters.postgres.what_left import PostgresWhatLeft
from domain.action import ProposedAction, Refund
from domain.counting import Counter, Own, Per, Window
from domain.decision import EngineAnswer, PolicyDecision, PolicyInput, Verdict
from domain.effect import Clearance, EffectIntent, EffectState, LedgerRow, Receipt, Refusal, key_of
from domain.fact import Money
from domain.model import digest_of
from domain.ticket import TicketRef
from tests.adapters.postgres.story import Story, cleared, now
from tests.office import Office
from tests.policies_of_tests import CountingEngine, answer

CUSTOMER = "customer_" + "c" * 24
MONTHLY = Counter("refund", Per.CUSTOMER, 30 * 86400)
EVERY = tuple(Counter("refund", per, 86400) for per in Per)
LIMIT = 5000
RACERS = 8


def a_refund(minor_units: int, order: str | None = None) -> ProposedAction:
    refund = Refund(
        order=order or f"order_{uuid4().hex[:24]}",
        payment="payment_" + "2" * 24,
        amount=Money(minor_units=minor_units, currency="EUR"),
        playbook="any",
    )
    return ProposedAction(ordinal=0, action=refund)


def another_ticket(story: Story, registry: TenantRegistry) -> Story:
    ticket = TicketRef(tenant_id=story.ticket.tenant_id, route=uuid4().hex)
    return Story(story.databases, registry, story.keys, ticket)


async def intended(story: Story, proposed: ProposedAction, customer: str | None = CUSTOMER) -> EffectIntent:
    decision = await story.decided(proposed=proposed)
    intent = EffectIntent(
        key=key_of(story.ticket.ticket_id, f"msg_{uuid4().hex}", proposed),
        ticket=story.ticket,
        proposed=proposed,
        decision_id=decision.decision_id,
        owner_epoch=0,
        turn=0,
        customer=customer,
    )
    await story.tickets.open(story.ticket, "1001", "generic")
    await story.ledger.intend(intent)
    return intent


async def counted(story: Story, intent: EffectIntent, *counters: Counter) -> Clearance:
    """Allowed on what has left so far."""
    subjects = {
        Per.CUSTOMER: CUSTOMER,
        Per.TICKET: str(story.ticket.ticket_id),
        Per.TENANT: str(story.ticket.tenant_id),
        Per.ORDER: intent.proposed.action.order,  # type: ignore[union-attr]  # a refund
    }
    windows = [Window(counter, subjects[counter.per]) for counter in counters]
    own = Own(story.ticket.ticket_id, key=intent.key)
    sums = await PostgresWhatLeft(story.databases.app).counted(story.ticket.tenant_id, windows, own)
    planned = await story.decisions.decided(story.ticket, intent.decision_id)
    assert planned is not None
    seen = {window.counter.key: sums[window].model_dump() for window in windows}
    input_ = PolicyInput.model_validate(planned[1].model_dump() | {"counters": seen})
    decision = PolicyDecision.model_validate(
        planned[0].model_dump()
        | {"decision_id": f"dec_{uuid4().hex}{uuid4().hex[:8]}", "input_digest": digest_of(input_)}
    )
    said = EngineAnswer(verdict=decision.verdict, reasons=decision.reasons)
    await story.decisions.record([(decision, input_, said)], latency_us=1, effect=intent.key)
    return Clearance(decision.decision_id)


@pytest.mark.parametrize("counter", EVERY)
async def test_a_claim_that_counted_before_another_claimed_must_decide_again(
    story: Story, registry: TenantRegistry, counter: Counter
) -> None:
    other = story if counter.per is Per.TICKET else another_ticket(story, registry)
    order = f"order_{uuid4().hex[:24]}"
    first, second = await intended(story, a_refund(100, order)), await intended(other, a_refund(200, order))
    early, late = await counted(story, first, counter), await counted(other, second, counter)

    row = await story.ledger.claim(first, early)
    overtaken = await other.ledger.claim(second, late)
    again = await other.ledger.claim(second, await counted(other, second, counter))

    assert (row.state, row.counters_moved) == (EffectState.CLAIMED, False)
    assert (overtaken.state, overtaken.refusal, overtaken.counters_moved) == (
        EffectState.INTENDED,
        None,
        True,
    )
    assert again.state is EffectState.CLAIMED


async def test_a_claim_waits_for_another_of_the_same_window_and_counts_it(
    story: Story, registry: TenantRegistry
) -> None:
    """Red without the lock: the second would not see what the first has not committed yet."""
    other = another_ticket(story, registry)
    first, second = await intended(story, a_refund(100)), await intended(other, a_refund(200))
    early, late = await counted(story, first, MONTHLY), await counted(other, second, MONTHLY)

    async with story.databases.egress.transaction(story.ticket.tenant_id) as claiming:
        await claiming.execute(CLAIM, claim_arguments(first, early))
        waiting = asyncio.create_task(other.ledger.claim(second, late))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done

    assert (await waiting).counters_moved


async def test_claims_of_different_customers_do_not_wait_for_each_other(
    story: Story, registry: TenantRegistry
) -> None:
    other = another_ticket(story, registry)
    first = await intended(story, a_refund(100), "customer_" + "d" * 24)
    second = await intended(other, a_refund(200))
    early = await counted(story, first)
    late = await counted(other, second, MONTHLY)

    async with story.databases.egress.transaction(story.ticket.tenant_id) as claiming:
        await claiming.execute(CLAIM, claim_arguments(first, early))
        row = await asyncio.wait_for(other.ledger.claim(second, late), timeout=5)

    assert row.state is EffectState.CLAIMED


async def test_claims_without_windows_take_no_lock_of_a_window(story: Story) -> None:
    intent = await intended(story, a_refund(100))
    clearance = await counted(story, intent)
    exclusive = text(
        "select count(*) from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock'"
        " and pid = pg_backend_pid()"
    )

    async with story.databases.egress.transaction(story.ticket.tenant_id) as claiming:
        await claiming.execute(CLAIM, claim_arguments(intent, clearance))
        held = (await claiming.execute(exclusive)).scalar_one()

    assert held == 0


# --- through the gate ----------------------------------------------------------------------------


def up_to_the_limit(asked: PolicyInput) -> EngineAnswer:
    counter, amount = asked.counters.get(MONTHLY.key), asked.action.amount
    if counter is None or amount is None:
        return answer(Verdict.DENY)
    fits = counter.amounts.get("EUR", 0) + amount.minor_units <= LIMIT
    return answer(Verdict.ALLOW if fits else Verdict.DENY)


async def cleared_and_claimed(story: Story, gate: Gate, intent: EffectIntent) -> LedgerRow | Refusal:
    """As the step does, for as often as others are faster."""
    while True:
        clearance = await gate.clear_again(intent)
        if isinstance(clearance, Refusal):
            return clearance
        row = await story.ledger.claim(intent, clearance)
        if not row.counters_moved:
            return row


async def test_tickets_of_one_customer_that_race_stay_within_the_limit(
    story: Story, registry: TenantRegistry
) -> None:
    """Eight refunds of 15.00 at once, and 50.00 a month: exactly three leave."""
    gate = Gate(
        policies=InMemoryPolicies(CountingEngine(up_to_the_limit, MONTHLY)),
        decisions=story.decisions,
        what_left=PostgresWhatLeft(story.databases.app),
        shop=Office().shop,
    )
    racers = [another_ticket(story, registry) for _ in range(RACERS)]
    intents = [await with_amount(racer, 1500) for racer in racers]

    ends: Sequence[LedgerRow | Refusal] = await asyncio.gather(
        *(cleared_and_claimed(racer, gate, intent) for racer, intent in zip(racers, intents, strict=True))
    )

    claimed = [end for end in ends if isinstance(end, LedgerRow) and end.state is EffectState.CLAIMED]
    assert len(claimed) == LIMIT // 1500
    assert [end for end in ends if not isinstance(end, LedgerRow)] == [Refusal.POLICY_DENIES] * 5


async def with_amount(story: Story, minor_units: int) -> EffectIntent:
    """The plan's input holds the amount, which the gate asks about again."""
    proposed = a_refund(minor_units)
    decision = await story.decided(proposed=proposed)
    planned = await story.decisions.decided(story.ticket, decision.decision_id)
    assert planned is not None
    _, input_ = planned
    assert isinstance(proposed.action, Refund)
    told = input_.action.model_dump() | {"amount": proposed.action.amount}
    asked = PolicyInput.model_validate(input_.model_dump() | {"action": told})
    again = PolicyDecision.model_validate(
        decision.model_dump() | {"decision_id": f"dec_{uuid4().hex}{uuid4().hex[:8]}"}
    )
    said = EngineAnswer(verdict=again.verdict, reasons=again.reasons)
    await story.decisions.record([(again, asked, said)], latency_us=1)
    intent = await intended(story, proposed)
    return intent.model_copy(update={"decision_id": again.decision_id})


# --- what is left of an order --------------------------------------------------------------------


def left(clearance: Clearance, minor_units: int, read_ago: timedelta = timedelta()) -> Clearance:
    amount = Money(minor_units=minor_units, currency="EUR")
    return clearance._replace(left=amount, read_at=now() - read_ago)


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ((), True),
        ((EffectState.SENT,), True),
        ((EffectState.UNKNOWN,), True),
        ((EffectState.SENT, EffectState.CONFIRMED), True),
        ((EffectState.FAILED,), False),
    ],
)
async def test_our_own_refunds_that_the_shop_does_not_show_yet_count(
    story: Story, registry: TenantRegistry, *, steps: tuple[EffectState, ...], refused: bool
) -> None:
    """Two tickets about one order of 50.00, 30.00 each; the shop was read before the first left."""
    other, order = another_ticket(story, registry), f"order_{uuid4().hex[:24]}"
    first, second = await intended(story, a_refund(3000, order)), await intended(other, a_refund(3000, order))
    early = await cleared(story.databases, first)
    late = left(await cleared(other.databases, second), 5000, read_ago=timedelta(minutes=1))
    await story.ledger.claim(first, left(early, 5000))
    for step in steps:
        await story.ledger.record(first, step, Receipt(external_id="re_1", received_at=now()))

    row = await other.ledger.claim(second, late)

    expected = (EffectState.WITHDRAWN, Refusal.FACTS_CHANGED) if refused else (EffectState.CLAIMED, None)
    assert (row.state, row.refusal) == expected


async def test_a_refund_that_the_shop_shows_is_not_counted_twice(
    story: Story, registry: TenantRegistry
) -> None:
    other, order = another_ticket(story, registry), f"order_{uuid4().hex[:24]}"
    first, second = await intended(story, a_refund(3000, order)), await intended(other, a_refund(2000, order))
    await story.ledger.claim(first, left(await cleared(story.databases, first), 5000))
    for step in (EffectState.SENT, EffectState.CONFIRMED):
        await story.ledger.record(first, step)
    read_later = left(await cleared(other.databases, second), 2000, read_ago=-timedelta(seconds=5))

    assert (await other.ledger.claim(second, read_later)).state is EffectState.CLAIMED


async def test_two_claims_on_one_order_wait_for_each_other(story: Story, registry: TenantRegistry) -> None:
    """Red without the lock on the order."""
    other, order = another_ticket(story, registry), f"order_{uuid4().hex[:24]}"
    first, second = await intended(story, a_refund(3000, order)), await intended(other, a_refund(3000, order))
    early = left(await cleared(story.databases, first), 5000)
    late = left(await cleared(other.databases, second), 5000)

    async with story.databases.egress.transaction(story.ticket.tenant_id) as claiming:
        await claiming.execute(CLAIM, claim_arguments(first, early))
        waiting = asyncio.create_task(other.ledger.claim(second, late))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done

    assert (await waiting).refusal is Refusal.FACTS_CHANGED
