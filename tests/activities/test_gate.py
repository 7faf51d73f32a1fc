"""The newest policy is asked as the last thing before a claim, and can only tighten."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.effects import PATIENCE
from activities.intake import EXTERNAL_TICKET_ID, SOURCE
from adapters.in_memory import ScriptedEngine
from adapters.in_memory.minds import version_of
from domain.action import ActionType, ProposedAction, Reply
from domain.counting import Counter, Per
from domain.decision import (
    CounterInput,
    EngineAnswer,
    Obligations,
    PolicyDecision,
    PolicyInput,
    Reason,
    Verdict,
)
from domain.effect import EffectIntent, EffectResult, EffectState, Refusal
from domain.errors import BundleRefused
from domain.fact import Money
from domain.ports import ArtifactKind
from tests.office import TICKET, Office, order
from tests.planned import ORDER, PAYMENT, a_refund, decided, planned
from tests.policies_of_tests import CountingEngine, FarAway, OutOfReach, answer

Script = Callable[[PolicyInput], EngineAnswer]


async def ready(office: Office) -> None:
    """The values that an effect needs to leave."""
    office.sender._helpdesk = None
    values = {EXTERNAL_TICKET_ID: "1001", SOURCE: "generic", ORDER: "HB-1001", PAYMENT: "pay-HB-1001"}
    await office.vault.keep(TICKET, values | {"[[EMAIL_1_k7]]": "ada@example.com", "[[PERSON_1_k7]]": "Ada"})


async def performed(office: Office, intent: EffectIntent) -> EffectResult:
    await ready(office)
    return await office.effects().perform(intent)


def now_says(office: Office, verdict: Verdict, **obligations: Any) -> None:
    """Another policy takes effect."""
    terms = Obligations(**obligations) if obligations else None
    office.policies.engine = ScriptedEngine(lambda _: answer(verdict, terms))


def gate_decisions(office: Office) -> list[PolicyDecision]:
    return [office.decisions.made[id_][0] for id_ in office.decisions.at_the_claim]


async def test_what_leaves_was_decided_again_in_a_row_of_its_own() -> None:
    office = Office()
    intent = planned(office, a_refund())

    result = await performed(office, intent)

    assert result.state is EffectState.CONFIRMED
    [decision] = gate_decisions(office)
    assert decision.decision_id != intent.decision_id
    assert office.decisions.at_the_claim == {decision.decision_id: intent.key}
    assert (decision.verdict, decision.action_digest) == (Verdict.ALLOW, intent.digest)


@pytest.mark.parametrize(
    ("verdict", "refusal"),
    [
        (Verdict.DENY, Refusal.POLICY_DENIES),
        (Verdict.APPROVAL_NEEDED, Refusal.APPROVAL_NOW_NEEDED),
    ],
)
async def test_a_stricter_policy_withdraws_what_an_earlier_one_allowed(
    verdict: Verdict, refusal: Refusal
) -> None:
    office = Office()
    intent = planned(office, a_refund())
    now_says(office, verdict)

    result = await performed(office, intent)

    assert (result.state, result.refusal) == (EffectState.WITHDRAWN, refusal)
    assert office.sender.seen == []
    assert [decision.verdict for decision in gate_decisions(office)] == [verdict]


@pytest.mark.parametrize("before", [Verdict.APPROVAL_NEEDED, Verdict.DENY])
@pytest.mark.parametrize("milder", [Verdict.ALLOW, Verdict.SANITIZE])
async def test_a_milder_policy_changes_nothing(before: Verdict, milder: Verdict) -> None:
    office = Office()
    intent = planned(office, a_refund(), decided(office, a_refund(), before))
    now_says(office, milder)

    result = await performed(office, intent)

    assert result.state is EffectState.WITHDRAWN
    assert office.sender.seen == []


async def test_a_policy_that_cannot_be_loaded_denies() -> None:
    office = Office()
    intent = planned(office, a_refund())

    async def refused(tenant_id: object, agent: str = "") -> Any:
        del tenant_id, agent
        raise BundleRefused("it is empty")

    office.policies.newest = refused  # type: ignore[method-assign]

    assert (await performed(office, intent)).refusal is Refusal.POLICY_DENIES
    assert office.sender.seen == []


async def test_an_effect_that_nobody_planned_does_not_leave() -> None:
    office = Office()
    intent = planned(office, a_refund())
    office.decisions.made.clear()

    assert (await performed(office, intent)).refusal is Refusal.NOT_ALLOWED
    assert office.sender.seen == []


async def test_money_facts_are_those_of_now() -> None:
    office = Office()
    asked: list[PolicyInput] = []
    office.policies.engine = ScriptedEngine(lambda input_: asked.append(input_) or answer(Verdict.ALLOW))  # type: ignore[func-returns-value]
    office.shop.orders["HB-1001"] = order("HB-1001", 80_00, refunded=Money(minor_units=10_00, currency="EUR"))

    await performed(office, planned(office, a_refund()))

    assert asked[0].order is not None
    assert asked[0].order.total == Money(minor_units=80_00, currency="EUR")
    assert asked[0].order.refundable == Money(minor_units=70_00, currency="EUR")


# --- an engine that fails ----------------------------------------------------------------------


def crashes(_: PolicyInput) -> EngineAnswer:
    raise RuntimeError


def says_that_it_failed(_: PolicyInput) -> EngineAnswer:
    return EngineAnswer(verdict=Verdict.DENY, reasons=(Reason(rule="default", code="engine_failed"),))


@pytest.mark.parametrize("script", [crashes, says_that_it_failed])
async def test_an_engine_that_fails_neither_lets_out_nor_withdraws(script: Script) -> None:
    office = Office()
    intent = planned(office, a_refund())
    working, office.policies.engine = office.policies.engine, ScriptedEngine(script)

    with pytest.raises(ApplicationError) as waiting:
        await performed(office, intent)
    assert waiting.value.type == "EngineUnavailable"
    assert office.sender.seen == []
    assert office.ledger.rows[intent.key].state is EffectState.INTENDED
    assert gate_decisions(office) == []
    office.policies.engine = working

    assert (await performed(office, intent)).state is EffectState.CONFIRMED


async def test_an_engine_in_another_process_is_asked_at_the_claim_and_waited_for() -> None:
    office = Office()
    intent = planned(office, a_refund())
    office.policies.engine = OutOfReach()

    with pytest.raises(ApplicationError) as waiting:
        await performed(office, intent)
    assert waiting.value.type == "EngineUnavailable"
    office.policies.engine = FarAway(answer(Verdict.ALLOW))

    assert (await performed(office, intent)).state is EffectState.CONFIRMED


async def test_an_engine_that_stays_away_is_a_persons_matter() -> None:
    office = Office()
    intent = planned(office, a_refund())
    office.policies.engine = ScriptedEngine(crashes)
    with pytest.raises(ApplicationError):
        await performed(office, intent)
    office.now += PATIENCE + timedelta(seconds=1)

    result = await performed(office, intent)

    assert (result.state, result.refusal) == (EffectState.WITHDRAWN, Refusal.POLICY_UNAVAILABLE)
    assert office.sender.seen == []


# --- a claimed one -----------------------------------------------------------------------------


class Killed(BaseException):
    """The process dies here."""


async def test_a_claimed_effect_is_withdrawn_when_policy_denies_before_it_is_sent_again() -> None:
    office = Office()
    intent = planned(office, a_refund())
    office.sender.before.append(Killed())
    with pytest.raises(Killed):
        await performed(office, intent)
    now_says(office, Verdict.DENY)
    office.now += timedelta(seconds=31)

    result = await performed(office, intent)

    assert (result.state, result.refusal) == (EffectState.WITHDRAWN, Refusal.POLICY_DENIES)
    assert office.sender.seen == []


async def test_a_claimed_effect_that_happened_stays_confirmed_whatever_policy_says() -> None:
    office = Office()
    intent = planned(office, a_refund())
    office.sender.after.append(Killed())
    with pytest.raises(Killed):
        await performed(office, intent)
    now_says(office, Verdict.DENY)
    office.now += timedelta(seconds=31)

    assert (await performed(office, intent)).state is EffectState.CONFIRMED


# --- windows -----------------------------------------------------------------------------------


WEEKLY = Counter("refund", Per.CUSTOMER, 7 * 86400)


def one_a_week(asked: PolicyInput) -> EngineAnswer:
    counter = asked.counters.get(WEEKLY.key)
    return answer(Verdict.ALLOW if counter is not None and counter.count == 0 else Verdict.DENY)


async def test_a_window_is_counted_again_before_the_claim() -> None:
    office = Office()
    first, second = a_refund(1000), a_refund(500)
    intents = [planned(office, first), planned(office, second)]
    intents[1] = intents[1].model_copy(update={"key": "eff_" + "2" * 40})
    office.policies.engine = CountingEngine(one_a_week, WEEKLY)

    results = [await performed(office, intent) for intent in intents]

    assert [result.state for result in results] == [EffectState.CONFIRMED, EffectState.WITHDRAWN]
    assert results[1].refusal is Refusal.POLICY_DENIES
    assert len(office.sender.sent(ActionType.REFUND)) == 1


async def test_money_takes_the_stricter_version_when_its_sums_have_moved() -> None:
    """The version of the plan has said nothing about the sums of now, and the newer one is milder."""
    office = Office()
    proposed = a_refund(500)
    office.policies.engine = CountingEngine(one_a_week, WEEKLY)
    plan_decision = decided(office, proposed, version=version_of("the plan's"))
    decision, input_, said = office.decisions.made[plan_decision.decision_id]
    seen = input_.model_copy(update={"counters": {WEEKLY.key: CounterInput(count=0)}})
    office.decisions.made[plan_decision.decision_id] = (decision, seen, said)
    other = planned(office, a_refund(1000))
    await performed(office, other)
    office.policies.engine = CountingEngine(lambda _: answer(Verdict.ALLOW), WEEKLY, name="milder")
    intent = planned(office, proposed, plan_decision).model_copy(update={"key": "eff_" + "2" * 40})

    assert (await performed(office, intent)).refusal is Refusal.POLICY_CHANGED
    assert len(office.sender.sent(ActionType.REFUND)) == 1


# --- redaction ---------------------------------------------------------------------------------


async def a_reply(office: Office) -> ProposedAction:
    text = b"Hello [[PERSON_1_k7]], we wrote to [ [EMAIL_1_K7]]."
    reference = await office.artifacts.put(TICKET, ArtifactKind.DRAFT, text)
    return ProposedAction(ordinal=1, action=Reply(text=reference))


async def test_a_reply_leaves_without_what_policy_asks_to_take_out() -> None:
    office = Office()
    proposed = await a_reply(office)
    now_says(office, Verdict.SANITIZE, redact_fields=("email",))

    result = await performed(office, planned(office, proposed))

    assert result.state is EffectState.CONFIRMED
    assert office.replies() == ["Hello Ada, we wrote to ‹e-mail address›."]


async def test_what_any_of_both_decisions_asks_to_take_out_is_taken_out() -> None:
    office = Office()
    proposed = await a_reply(office)
    before = decided(office, proposed, Verdict.SANITIZE, obligations=Obligations(redact_fields=("person",)))
    now_says(office, Verdict.SANITIZE, redact_fields=("email",))

    await performed(office, planned(office, proposed, before))

    assert office.replies() == ["Hello ‹name›, we wrote to ‹e-mail address›."]


async def test_a_repeated_reply_is_redacted_too() -> None:
    office = Office()
    proposed = await a_reply(office)
    now_says(office, Verdict.SANITIZE, redact_fields=("email",))
    intent = planned(office, proposed)
    office.sender.before.append(Killed())
    with pytest.raises(Killed):
        await performed(office, intent)

    await performed(office, intent)

    assert office.replies() == ["Hello Ada, we wrote to ‹e-mail address›."]


async def test_a_kind_that_is_not_known_denies() -> None:
    office = Office()
    proposed = await a_reply(office)
    now_says(office, Verdict.SANITIZE, redact_fields=("shoe_size",))

    result = await performed(office, planned(office, proposed))

    assert result.refusal is Refusal.POLICY_DENIES
    assert [made.reasons[0].code for made in gate_decisions(office)] == ["kind_unknown"]
    assert office.replies() == []
