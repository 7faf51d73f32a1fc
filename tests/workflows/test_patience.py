"""What happens while nobody answers a question: reminders in its thread, more people, the end."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from adapters.in_memory import InMemoryEngine, InMemoryPolicies
from domain.action import ActionType, SlackPost
from domain.approval import ApprovalStatus, VoteKind
from domain.decision import Obligations, OnTimeout, Rung
from domain.errors import DeliveryRefused
from domain.ticket import Outcome
from tests.office import Office
from tests.workflows.running import open_desk
from workflows.patience import MOST_REMINDERS, Moment, moments

MEDIUM = "refund HB-1002"
HOUR_S = 3600
ASKED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LADDER = (Rung(after_s=2 * HOUR_S, approver_groups=("leads",)),)


def obliged(**obligations: object) -> Office:
    office = Office()
    engine = InMemoryEngine()
    engine.obligations = Obligations.model_validate({"approver_groups": ("approvers",)} | obligations)
    office.policies = InMemoryPolicies(engine)
    return office


def posts(office: Office) -> list[str]:
    return [json.loads(sent.text)["title"] for sent in office.sender.sent(ActionType.SLACK_POST)]


async def test_team_is_reminded_in_the_thread_until_time_is_up(environment: WorkflowEnvironment) -> None:
    office = obliged(remind_every_s=HOUR_S, expires_in_s=3 * HOUR_S)

    async with open_desk(environment, office) as desk:
        closed = await desk.run(MEDIUM)

    card, first, second, handoff = office.sender.sent(ActionType.SLACK_POST)
    assert posts(office)[1:3] == ["Still waiting: Refund 120.00 EUR?"] * 2
    threads = [SlackPost.model_validate(post.action).thread_of for post in (card, first, second, handoff)]
    assert threads == [None, card.key, card.key, None]
    assert first.earlier is not None
    assert closed.record.outcome is Outcome.HANDED_OVER


async def test_second_group_may_answer_only_after_its_time(environment: WorkflowEnvironment) -> None:
    office = obliged(ladder=LADDER, expires_in_s=24 * HOUR_S)

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write(MEDIUM))
        await office.sender.wait_for(ActionType.SLACK_POST)
        with pytest.raises(WorkflowUpdateFailedError):
            await desk.vote(VoteKind.APPROVE, eligibility=await desk.eligibility("2", "leads"))
        await environment.sleep(timedelta(seconds=2 * HOUR_S + 1))
        lead = await desk.eligibility("2", "leads")
        assert await desk.vote(VoteKind.APPROVE, eligibility=lead) is ApprovalStatus.APPROVED
        await run.result()

    reminder = json.loads(office.sender.sent(ActionType.SLACK_POST)[1].text)
    assert "approvers, leads" in reminder["body"]
    assert len(office.sender.sent(ActionType.REFUND)) == 1


async def test_reminder_that_cannot_be_posted_ends_nothing(environment: WorkflowEnvironment) -> None:
    office = obliged(remind_every_s=HOUR_S, expires_in_s=24 * HOUR_S)

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write(MEDIUM))
        await office.sender.wait_for(ActionType.SLACK_POST)
        office.sender.before = [DeliveryRefused(403)]
        await environment.sleep(timedelta(seconds=HOUR_S + 1))
        assert await desk.vote(VoteKind.APPROVE) is ApprovalStatus.APPROVED
        await run.result()

    assert len(office.sender.sent(ActionType.REFUND)) == 1


async def test_vote_six_weeks_later_counts(environment: WorkflowEnvironment) -> None:
    office = obliged(on_timeout=OnTimeout.WAIT, remind_every_s=7 * 24 * HOUR_S)

    async with open_desk(environment, office) as desk:
        run = await desk.start(office.write(MEDIUM))
        await office.sender.wait_for(ActionType.SLACK_POST)
        await environment.sleep(timedelta(weeks=6, hours=1))
        assert await desk.vote(VoteKind.APPROVE) is ApprovalStatus.APPROVED
        await run.result()

    assert len(office.sender.sent(ActionType.REFUND)) == 1
    assert len(posts(office)) == 7


def test_reminder_and_rung_of_one_time_are_one_moment() -> None:
    obliged_ = Obligations(remind_every_s=HOUR_S, ladder=LADDER)

    found = moments(obliged_, ASKED, ASKED + timedelta(hours=3))

    assert found == [Moment(ASKED + timedelta(hours=1)), Moment(ASKED + timedelta(hours=2), ("leads",))]


def test_question_without_an_end_is_not_brought_up_for_ever() -> None:
    found = moments(Obligations(remind_every_s=60), ASKED, ASKED + timedelta(days=3650))

    assert len(found) == MOST_REMINDERS


def test_nothing_happens_at_or_after_the_end() -> None:
    found = moments(Obligations(remind_every_s=HOUR_S), ASKED, ASKED + timedelta(hours=1))

    assert found == []


def test_every_group_may_answer_sooner_or_later() -> None:
    assert Obligations(approver_groups=("a", "b"), ladder=LADDER).every_group == ("a", "b", "leads")
