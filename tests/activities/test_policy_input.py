"""What policy is told: true, complete, and nothing where something is not known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.facts import FactActivities, LookUpInput
from activities.intake import REQUESTER_EMAIL
from activities.policy import PolicyActivities
from activities.policy_input import ACCOUNT_ADDRESS, OWN_ORDER_NAMED, DecideInput
from adapters.in_memory import InMemoryWhatLeft
from domain.action import ProposedAction, Reply
from domain.conversation import Author, Conversation, Message, Requester
from domain.counting import Counter, Per
from domain.decision import (
    EngineAnswer,
    IdentityInput,
    PolicyInput,
    Purpose,
    ResidencyInput,
    Verdict,
)
from domain.effect import EffectState
from domain.fact import Facts
from domain.ports import ArtifactKind
from domain.triage import Signal, Triage
from tests.office import EMAIL, NAME, NOW, TICKET, Office
from tests.planned import a_refund, facts, plan, planned
from tests.policies_of_tests import CountingEngine, answer

EVERY = tuple(Counter("refund", per, 86400) for per in Per)


class CountingOne(CountingEngine):
    """Remembers what it was asked."""

    def __init__(self, *counters: Counter) -> None:
        super().__init__(self._remember, *counters)
        self.asked: list[PolicyInput] = []

    def _remember(self, asked: PolicyInput) -> EngineAnswer:
        self.asked.append(asked)
        return answer(Verdict.ALLOW)


def triage(*signals: Signal) -> Triage:
    return Triage(
        intent="refund_request",
        queue="billing",
        priority="normal",
        language="en",
        sentiment="neutral",
        confidence_permille=900,
        signals=signals,
        classifier="sha256:" + "0" * 64,
    )


def understood(*actions: ProposedAction, **known: Any) -> DecideInput:
    return plan(*actions, **{"triage": triage()} | known)


async def told(office: Office, asked: DecideInput, *counters: Counter) -> PolicyInput:
    """The document of the plan's first action."""
    engine = CountingOne(*counters)
    office.policies.engine = engine
    await office.policy().decide(asked)
    return engine.asked[0]


async def claimed(office: Office, proposed: ProposedAction) -> None:
    """One that is about to leave."""
    intent = planned(office, proposed)
    await office.ledger.intend(intent)
    office.ledger.rows[intent.key] = office.ledger.rows[intent.key].model_copy(
        update={"state": EffectState.CLAIMED, "claimed_at": office.now}
    )


async def test_the_time_is_utc_and_whole_minutes() -> None:
    office = Office()
    office.now = datetime(2026, 11, 20, 12, 34, 56, 789, tzinfo=UTC)

    asked = await told(office, understood(a_refund()))

    assert asked.at == datetime(2026, 11, 20, 12, 34, tzinfo=UTC)
    assert asked.purpose is Purpose.SUPPORT
    assert asked.agent.id == "support_agent"
    assert asked.consent is None


@pytest.mark.parametrize(
    ("known", "signals", "expected"),
    [
        (True, (), IdentityInput(verified=True, evidence=(ACCOUNT_ADDRESS, OWN_ORDER_NAMED))),
        (
            True,
            (Signal.IDENTITY_IN_DOUBT,),
            IdentityInput(verified=False, evidence=(ACCOUNT_ADDRESS, OWN_ORDER_NAMED)),
        ),
        (False, (), IdentityInput(verified=False, evidence=(OWN_ORDER_NAMED,))),
    ],
)
async def test_identity_rests_on_facts_and_is_not_verified_in_doubt(
    *, known: bool, signals: tuple[Signal, ...], expected: IdentityInput
) -> None:
    asked = await told(Office(), understood(a_refund(), facts=facts(known=known), triage=triage(*signals)))

    assert asked.identity == expected


@pytest.mark.parametrize("missing", ["facts", "triage"])
async def test_identity_is_unknown_before_anything_was_looked_up(missing: str) -> None:
    asked = await told(Office(), understood(a_refund(), **{missing: None}))

    assert asked.identity is None


async def test_regions_are_those_of_the_settings() -> None:
    office, engine = Office(), CountingOne()
    regions = ResidencyInput(model_region="eu", storage_region="eu_central_1")
    office.policies.engine = engine
    gate = PolicyActivities(
        policies=office.policies,
        decisions=office.decisions,
        what_left=InMemoryWhatLeft(office.ledger),
        residency=regions,
    )

    await gate.decide(understood(a_refund()))

    assert engine.asked[0].residency == regions
    assert (await told(office, understood(a_refund()))).residency is None


async def test_exactly_the_counters_that_policy_asks_for_are_there() -> None:
    office = Office()

    asked = await told(office, understood(a_refund()), EVERY[0], Counter("reply", Per.TENANT, 60))

    assert list(asked.counters) == ["refund.customer.86400"]


async def test_what_is_claimed_counts_in_every_window_it_belongs_to() -> None:
    office = Office()
    await claimed(office, a_refund(700))

    asked = await told(office, understood(a_refund(800)), *EVERY)

    assert set(asked.counters) == {counter.key for counter in EVERY}
    for counter in asked.counters.values():
        assert (counter.count, counter.amounts) == (1, {"EUR": 700})


async def test_an_effect_does_not_count_against_itself() -> None:
    office = Office()
    await claimed(office, a_refund())

    asked = await told(office, understood(a_refund()), *EVERY)

    assert {counter.count for counter in asked.counters.values()} == {0}


async def test_what_is_older_than_the_window_does_not_count() -> None:
    office = Office()
    await claimed(office, a_refund(700))
    office.ledger.now += timedelta(days=1)

    asked = await told(office, understood(a_refund(800)), *EVERY)

    assert {counter.count for counter in asked.counters.values()} == {0}


@pytest.mark.parametrize("known", [facts(customer=None), facts(owned=False), None])
async def test_without_a_certain_customer_there_is_no_counter_of_theirs(known: Facts | None) -> None:
    """A rule that asks for it denies then: `counter_missing`."""
    asked = await told(Office(), understood(a_refund(), facts=known), *EVERY)

    assert "refund.customer.86400" not in asked.counters
    assert "refund.tenant.86400" in asked.counters


async def test_only_a_refund_counts_by_its_order() -> None:
    reply = ProposedAction(ordinal=1, action=Reply(text="draft_" + "0" * 64))

    asked = await told(Office(), understood(reply), *(Counter("reply", per, 60) for per in Per))

    assert set(asked.counters) == {f"reply.{per}.60" for per in ("customer", "ticket", "tenant")}


# --- the customer ------------------------------------------------------------------------------


async def looked_up(office: Office, email: str) -> Facts:
    await office.vault.keep(TICKET, {REQUESTER_EMAIL: email})
    conversation = Conversation(
        source="generic",
        external_id="1001",
        subject="A question",
        status="open",
        requester=Requester(external_id="c1", name=NAME, email=email),
        messages=(
            Message(external_id="m1", author=Author.CUSTOMER, body="Hello", public=True, written_at=NOW),
        ),
    )
    kept = await office.artifacts.put(
        TICKET, ArtifactKind.CONVERSATION, conversation.model_dump_json().encode()
    )
    steps = FactActivities(
        keys=office.keys, artifacts=office.artifacts, vault=office.vault, shop=office.shop, clock=office.clock
    )
    return await steps.look_up(LookUpInput(ticket=TICKET, conversation=kept))


async def test_the_customer_is_the_account_of_the_shop_and_not_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def same_account(tenant_id: object, email: str) -> str:
        del tenant_id, email
        return "cus_1"

    first, second = Office(), Office()
    second.keys = first.keys
    for office in (first, second):
        monkeypatch.setattr(office.shop, "account", same_account)

    one = await looked_up(first, EMAIL)
    other = await looked_up(second, "ada.novak@elsewhere.example")

    assert one.customer is not None
    assert one.customer == other.customer
    assert "cus_1" not in one.customer


async def test_somebody_without_an_account_is_no_customer() -> None:
    assert (await looked_up(Office(), "nobody@example.com")).customer is None
