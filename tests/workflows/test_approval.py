"""Votes: whose count, whose do not, and how a question ends."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from adapters.in_memory import InMemoryEngine, InMemoryPolicies, InMemorySender, ScriptedEngine
from domain.action import ActionType
from domain.approval import ApprovalStatus, Eligibility, VoteKind, VoteRefusal
from domain.decision import EngineAnswer, Obligations, OnTimeout, PolicyInput, Reason, Verdict
from domain.effect import Receipt, SendOrder
from domain.errors import DeliveryRefused, DeliveryUncertain, KeyDestroyed
from domain.handoff import HandoffReason
from domain.ticket import Outcome
from tests.office import NOW, Office
from tests.workflows.running import Desk, open_desk
from workflows.approval import untimely
from workflows.messages import TicketClosed
from workflows.ticket import TicketWorkflow

MEDIUM = "refund HB-1002"
OTHER_DIGEST = "sha256:" + "1" * 64


async def waiting(desk: Desk) -> WorkflowHandle[TicketWorkflow, TicketClosed]:
    run = await desk.start(desk.office.write(MEDIUM))
    await desk.office.sender.wait_for(ActionType.SLACK_POST)
    return run


async def refusal(desk: Desk, **changes: object) -> str | None:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.vote(VoteKind.APPROVE, **changes)
    assert isinstance(refused.value.cause, ApplicationError)
    return refused.value.cause.type


def obliged(**obligations: object) -> Office:
    office = Office()
    engine = InMemoryEngine()
    engine.obligations = Obligations.model_validate({"approver_groups": ("approvers",)} | obligations)
    office.policies = InMemoryPolicies(engine)
    return office


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"digest": OTHER_DIGEST}, VoteRefusal.CARD_CHANGED),
        ({"revision": 2}, VoteRefusal.CARD_CHANGED),
        ({"kind": VoteKind.REJECT, "reason": None}, VoteRefusal.REASON_MISSING),
    ],
)
async def test_vote_on_something_else_is_refused(
    environment: WorkflowEnvironment, changes: dict[str, object], why: VoteRefusal
) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        await waiting(desk)

        assert await refusal(desk, **changes) == why


async def test_vote_of_an_outsider_is_refused(environment: WorkflowEnvironment) -> None:
    async with open_desk(environment, Office()) as desk:
        await waiting(desk)

        eligibility = await desk.eligibility("1", "everybody")
        assert await refusal(desk, eligibility=eligibility) == VoteRefusal.NOT_ELIGIBLE


@pytest.mark.parametrize(
    ("age", "taken"),
    [
        (timedelta(seconds=55), True),
        (timedelta(seconds=62), False),
        (timedelta(seconds=-4), True),
        (timedelta(seconds=-20), False),
    ],
)
async def test_eligibility_counts_for_a_minute(
    environment: WorkflowEnvironment,
    age: timedelta,
    taken: bool,  # noqa: FBT001 - a table
) -> None:
    async with open_desk(environment, Office()) as desk:
        run = await waiting(desk)
        fresh = await desk.eligibility()
        aged = Eligibility(principal=fresh.principal, groups=fresh.groups, as_of=fresh.as_of - age)

        if taken:
            assert await desk.vote(VoteKind.APPROVE, eligibility=aged) is ApprovalStatus.APPROVED
            await run.result()
        else:
            assert await refusal(desk, eligibility=aged) == VoteRefusal.STALE_ELIGIBILITY


async def test_quorum_needs_different_people(environment: WorkflowEnvironment) -> None:
    office = obliged(quorum=2)

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        assert await desk.vote(VoteKind.APPROVE) is ApprovalStatus.PENDING
        assert await refusal(desk) == VoteRefusal.ALREADY_VOTED
        second = await desk.eligibility("2")
        assert await desk.vote(VoteKind.APPROVE, eligibility=second) is ApprovalStatus.APPROVED
        await run.result()

    (kept,) = office.approvals.kept.values()
    assert len(kept.votes) == 2


async def test_vote_after_the_end_finds_nothing_pending(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        await desk.vote(VoteKind.APPROVE)
        await run.result()

        with pytest.raises(RPCError):
            await desk.vote(VoteKind.APPROVE)


async def test_second_decision_is_refused_while_the_first_is_kept(environment: WorkflowEnvironment) -> None:
    office = Office()

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        other = await desk.eligibility("2")
        await desk.vote(VoteKind.APPROVE)
        try:
            why = await refusal(desk, eligibility=other)
        except RPCError:
            why = VoteRefusal.NOT_PENDING  # it was over already
        await run.result()

    assert why == VoteRefusal.NOT_PENDING


@pytest.mark.parametrize(
    ("on_timeout", "reason"),
    [
        (OnTimeout.HAND_OVER, HandoffReason.APPROVAL_EXPIRED),
        (OnTimeout.REJECT, HandoffReason.APPROVAL_REJECTED),
    ],
)
async def test_silence_never_approves(
    environment: WorkflowEnvironment, on_timeout: OnTimeout, reason: HandoffReason
) -> None:
    office = obliged(on_timeout=on_timeout, expires_in_s=60)

    async with open_desk(environment, office) as desk:
        closed = await desk.run(MEDIUM)

    assert closed.handed_over_because is reason
    assert office.sender.sent(ActionType.REFUND) == []


async def test_patient_approval_waits_for_weeks(environment: WorkflowEnvironment) -> None:
    office = obliged(on_timeout=OnTimeout.WAIT, expires_in_s=60)

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        await environment.sleep(timedelta(days=30))
        await desk.vote(VoteKind.APPROVE)
        await run.result()

    assert len(office.sender.sent(ActionType.REFUND)) == 1


async def test_question_that_may_not_be_posted_is_cancelled(environment: WorkflowEnvironment) -> None:
    office = Office()
    rules = InMemoryEngine()

    def silent(asked: PolicyInput) -> EngineAnswer:
        if asked.action.type != ActionType.SLACK_POST:
            return rules.decide(asked)
        return EngineAnswer(verdict=Verdict.DENY, reasons=(Reason(rule="quiet", code="quiet"),))

    office.policies = InMemoryPolicies(ScriptedEngine(silent))

    async with open_desk(environment, office) as desk:
        closed = await desk.run(MEDIUM)

    assert closed.handed_over_because is HandoffReason.APPROVAL_CANCELLED
    assert office.sender.sent(ActionType.SLACK_POST) == []


async def test_question_that_ended_in_an_earlier_run_is_not_asked_again(
    environment: WorkflowEnvironment,
) -> None:
    """Its card has lost its buttons, so a second run of the same turn would wait for nobody."""
    office = Office()

    async with open_desk(environment, office) as desk:
        expired = await desk.run(MEDIUM)
    office.tickets.records.clear()  # as after a reset: the turn is made again
    office.tickets.answered.clear()
    async with open_desk(environment, office) as desk:
        closed = await (await desk.start(office.deliver("d2"))).result()

    assert expired.handed_over_because is HandoffReason.APPROVAL_EXPIRED
    assert closed.handed_over_because is HandoffReason.APPROVAL_CANCELLED
    assert office.sender.sent(ActionType.REFUND) == []


def lost_post(office: Office) -> None:
    """Slack's answer to a post is lost, and what was posted cannot be read."""
    perform = InMemorySender.send
    office.sender.idempotent, office.sender.settle_time = False, timedelta()

    async def lose_posts(order: SendOrder) -> Receipt:
        if order.action.type is ActionType.SLACK_POST:
            raise DeliveryUncertain
        return await perform(office.sender, order)

    office.sender.send = lose_posts  # type: ignore[method-assign] # a fault of this test


async def test_question_that_perhaps_nobody_sees_is_handed_over_at_once(
    environment: WorkflowEnvironment,
) -> None:
    office = Office()
    lost_post(office)
    office.sender.finding += [DeliveryRefused(403), DeliveryRefused(403)]

    async with open_desk(environment, office) as desk:
        closed = await desk.run(MEDIUM)

    assert closed.handed_over_because is HandoffReason.APPROVAL_CANCELLED


async def test_vote_shows_that_a_lost_card_was_seen(environment: WorkflowEnvironment) -> None:
    office = Office()
    lost_post(office)

    async with open_desk(environment, office) as desk:

        async def answer_meanwhile(order: SendOrder) -> Receipt | None:
            del order
            await desk.vote(VoteKind.APPROVE)
            raise DeliveryRefused(403)

        office.sender.find = answer_meanwhile  # type: ignore[method-assign] # a fault of this test
        closed = await desk.run(MEDIUM)

    assert closed.handed_over_because is None
    assert len(office.sender.sent(ActionType.REFUND)) == 1


def test_vote_after_the_due_time_is_refused_by_the_validator() -> None:
    """The timer usually ends the question first; a vote may still come in the same moment."""
    due = NOW + timedelta(seconds=60)

    assert untimely(due, NOW, now=due) is VoteRefusal.EXPIRED
    assert untimely(due, NOW, now=due - timedelta(seconds=1)) is None


async def test_answer_counts_even_if_the_buttons_stay(environment: WorkflowEnvironment) -> None:
    office = Office()
    perform = InMemorySender.send

    async def refuse_updates(order: SendOrder) -> Receipt:
        if order.action.type is ActionType.SLACK_UPDATE:
            raise KeyDestroyed
        return await perform(office.sender, order)

    async with open_desk(environment, office) as desk:
        run = await waiting(desk)
        office.sender.send = refuse_updates  # type: ignore[method-assign] # a fault of this test
        await desk.vote(VoteKind.APPROVE)
        closed = await run.result()

    assert closed.record.outcome is Outcome.ASSUMED
    assert len(office.sender.sent(ActionType.REFUND)) == 1
