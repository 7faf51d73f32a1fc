"""A turn that policy has more to say about: as it is answered, and as its answer leaves."""

from temporalio.testing import WorkflowEnvironment

from adapters.in_memory import InMemoryEngine, InMemoryPolicies
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.regorus import RegorusEngine
from domain.action import ActionType
from domain.approval import VoteKind
from domain.effect import EffectState, Refusal
from domain.handoff import HandoffReason
from domain.ticket import Mode, Outcome
from tests.office import NAME, Office
from tests.workflows.conftest import opened_environment
from tests.workflows.running import open_desk


def discreet(mode: Mode = Mode.AUTOMATE, *fields: str) -> Office:
    """An office whose policy takes these out of whatever leaves."""
    engine = InMemoryEngine()
    engine.redact_fields = fields or ("person",)
    office = Office(mode)
    office.policies = InMemoryPolicies(engine)
    return office


async def test_a_sanitized_reply_leaves_without_the_name(environment: WorkflowEnvironment) -> None:
    async with open_desk(environment, discreet()) as desk:
        closed = await desk.run("What are your opening hours?")

    assert closed.record.outcome is Outcome.ASSUMED
    [reply] = desk.office.replies()
    assert "opening hours" in reply
    assert NAME not in reply
    assert "‹name›" in reply


async def test_a_sanitized_refund_and_its_filing_are_done(environment: WorkflowEnvironment) -> None:
    async with open_desk(environment, discreet()) as desk:
        await desk.run("refund HB-1001")

    sent = [order.action.type for order in desk.office.sender.seen]
    assert sent == [ActionType.REFUND, ActionType.REPLY, ActionType.SET_STATUS, ActionType.ADD_TAGS]


async def test_the_team_hears_of_a_handover_though_names_are_taken_out(
    environment: WorkflowEnvironment,
) -> None:
    async with open_desk(environment, discreet()) as desk:
        closed = await desk.run("I want a human")

    assert closed.record.outcome is Outcome.HANDED_OVER
    assert {order.action.type for order in desk.office.sender.seen} >= {
        ActionType.SLACK_POST,
        ActionType.PRIVATE_NOTE,
    }


async def test_a_kind_of_data_that_is_not_known_lets_nothing_out() -> None:
    """On a server of its own: what a run is at when it is ended keeps the clock from moving."""
    office = discreet(Mode.AUTOMATE, "shoe_size")
    async with opened_environment() as environment, open_desk(environment, office) as desk:
        run = await desk.start(office.write("What are your opening hours?"))
        await environment.sleep(60)
        seen = list(office.sender.seen)
        await run.terminate()

    assert seen == []


async def test_an_approved_refund_is_held_to_the_policy_of_its_claim(
    environment: WorkflowEnvironment,
) -> None:
    """Nothing is paid back any more, from while the question waits."""
    async with open_desk(environment, Office()) as desk:
        run = await desk.start(desk.office.write("refund HB-1002"))
        await desk.office.sender.wait_for(ActionType.SLACK_POST)
        engine = InMemoryEngine()
        engine.denied = frozenset({"refund"})
        desk.office.policies.engine = engine
        await desk.vote(VoteKind.APPROVE)
        closed = await run.result()

    assert desk.office.sender.sent(ActionType.REFUND) == []
    assert (closed.record.outcome, closed.handed_over_because) == (
        Outcome.HANDED_OVER,
        HandoffReason.POLICY_DENIED,
    )
    withdrawn = [row for row in desk.office.ledger.rows.values() if row.state is EffectState.WITHDRAWN]
    assert [row.refusal for row in withdrawn] == [Refusal.POLICY_DENIES]


WINDOWED = """
schema_version: 2
name: office
default: deny
approval: {approver_groups: [approvers], quorum: 1, expires_in: 24h, on_timeout: hand_over, forbid_self: true}
rules:
  - id: refunds_per_customer
    when: {actions: [refund]}
    threshold:
      allow_up_to: {EUR: "50.00"}
      per: customer
      within: 30d
  - id: office_work
    when: {actions: [reply, private_note, set_status, add_tags, slack_post, slack_update]}
    allow: true
"""


async def test_a_customer_who_asks_again_meets_the_limit_of_the_window(
    environment: WorkflowEnvironment,
) -> None:
    """30.00 twice is more than 50.00 in 30 days, although the second proposal looks just like the first."""
    office = Office()
    office.policies = InMemoryPolicies(RegorusEngine(alone(parse(WINDOWED))))
    async with open_desk(environment, office) as desk:
        first = await desk.run("refund HB-1001")
        second = await desk.run("refund HB-1001")

    assert first.record.outcome is Outcome.ASSUMED
    assert (second.record.outcome, second.handed_over_because) == (
        Outcome.HANDED_OVER,
        HandoffReason.POLICY_DENIED,
    )
    assert len(office.sender.sent(ActionType.REFUND)) == 1
