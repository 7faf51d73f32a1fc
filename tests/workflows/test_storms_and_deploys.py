"""Thousands of messages, runs that continue while people command them, releases that change a workflow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker
from temporalio.workflow import Info

from adapters.embedded.home import temporary_home
from adapters.embedded.temporal import start_temporal
from adapters.in_memory import InMemoryEngine, InMemoryKeys, InMemoryPolicies
from adapters.temporal import connect, make_replayer
from domain.action import ActionType
from domain.approval import ApprovalStatus, VoteKind
from domain.decision import Obligations, OnTimeout
from domain.ownership import RunWord, TakeOver
from domain.ticket import Owner, Stage
from tests.office import TENANT, TICKET, Office
from tests.workflows.conftest import opened_environment
from tests.workflows.running import WORKFLOWS, Desk, open_desk
from workflows.commands import tell
from workflows.messages import DeliveryArrived
from workflows.ticket import TicketWorkflow

HOURS = "What are your opening hours?"
MEDIUM = "refund HB-1002"
WINDOW_S = 3 * 24 * 3600
WHO = "principal_" + "7" * 24
MESSAGES = 3000
AT_ONCE = 25


async def test_thousands_of_messages_while_a_question_waits_lose_and_double_nothing() -> None:
    office = Office(window_s=WINDOW_S)

    async with opened_environment() as environment, open_desk(environment, office) as desk:
        run = await desk.start(office.write(MEDIUM))
        await office.sender.wait_for(ActionType.SLACK_POST)
        arrived = [office.write(f"{HOURS} I ask for the {number}. time") for number in range(MESSAGES)]
        for start in range(0, MESSAGES, AT_ONCE):
            await asyncio.gather(
                *(
                    run.signal(
                        TicketWorkflow.delivery_arrived,
                        DeliveryArrived(tenant_id=TENANT, delivery_id=delivery.id),
                    )
                    for delivery in arrived[start : start + AT_ONCE]
                )
            )
        assert (await run.query(TicketWorkflow.status)).stage is Stage.WAITING_FOR_APPROVAL
        assert await desk.vote(VoteKind.APPROVE) is ApprovalStatus.APPROVED
        closed = await run.result()

    assert office.deliveries.waiting[TICKET] == {}
    assert [len(office.sender.sent(kind)) for kind in (ActionType.REFUND, ActionType.REPLY)] == [1, 2]
    assert closed.record.turns == 2


@pytest.fixture
async def real_server() -> AsyncIterator[WorkflowEnvironment]:
    """The test server forgets updates of runs that continue; the real one is what we run on."""
    with temporary_home() as home:
        server = await asyncio.to_thread(start_temporal, home, None, None)
        client = await connect(InMemoryKeys(), address=server.address, namespace=server.namespace)
        yield WorkflowEnvironment.from_client(client)
        await asyncio.to_thread(server.stop)


async def test_take_over_is_never_lost_where_a_run_continues_as_new(
    monkeypatch: pytest.MonkeyPatch, real_server: WorkflowEnvironment
) -> None:
    monkeypatch.setattr(Info, "is_continue_as_new_suggested", lambda _: True)

    for number in range(10):
        office = Office(window_s=WINDOW_S)
        async with open_desk(real_server, office) as desk:
            run = await desk.start(office.write(HOURS))
            await office.sender.wait_for(ActionType.REPLY)
            again = office.write(f"And the opening hours on day {number}?")
            _, told = await asyncio.gather(desk.wake(again), _take_over(desk, number))
            await run.result()

        assert told in {RunWord.TOLD, RunWord.NO_RUN}
        assert (await office.tickets.owner(TICKET))[0] is Owner.TEAMMATE
        assert len(office.replies()) <= 2
        assert office.deliveries.waiting[TICKET] == {}


async def _take_over(desk: Desk, number: int) -> RunWord:
    """At another moment of the run each time, repeated until it is known, as the command does it."""
    for _ in range(number):
        await desk.ticket().query(TicketWorkflow.status)
    order = TakeOver(ticket=TICKET, principal=WHO, owner_epoch=desk.office.tickets.take_over(TICKET))
    while (told := await tell(desk.client, order)) is RunWord.LATER:
        continue
    return told


async def test_votes_are_never_lost_where_the_next_run_continues_as_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Info, "is_continue_as_new_suggested", lambda _: True)
    office = Office(window_s=WINDOW_S)

    async with opened_environment() as environment, open_desk(environment, office) as desk:
        run = await desk.start(office.write(HOURS))
        await office.sender.wait_for(ActionType.REPLY)
        await desk.wake(office.write(MEDIUM))
        await office.sender.wait_for(ActionType.SLACK_POST)
        await asyncio.gather(desk.wake(office.write(f"{HOURS} On Sunday?")), desk.vote(VoteKind.APPROVE))
        closed = await run.result()

    assert len(office.sender.sent(ActionType.REFUND)) == 1
    assert len(office.replies()) == 3
    assert closed.record.turns == 3


@asynccontextmanager
async def release(desk: Desk, *, earlier: bool) -> AsyncIterator[None]:
    """A worker of this release, or of the one before: it knows none of the changes that are patched in."""
    worker = Worker(
        desk.client,
        task_queue=desk.queue,
        workflows=WORKFLOWS,
        activities=desk.office.steps(),
        patch_activation_callback=(lambda _: False) if earlier else None,
        max_cached_workflows=0 if earlier else 500,
        max_concurrent_workflow_task_polls=1 if earlier else 5,
    )
    async with worker:
        yield


# A run that nothing keeps in memory may be evicted while its local step ends, which the SDK warns of.
@pytest.mark.filterwarnings("ignore:Cannot find activity to cancel:UserWarning")
async def test_vote_six_weeks_after_a_release_that_changed_the_workflow_counts() -> None:
    office = Office(window_s=WINDOW_S)
    engine = InMemoryEngine()
    engine.obligations = Obligations(approver_groups=("approvers",), on_timeout=OnTimeout.WAIT)
    office.policies = InMemoryPolicies(engine)

    async with opened_environment() as environment:
        desk = Desk(environment, office, str(uuid4()))
        async with release(desk, earlier=True):
            run = await desk.start(office.write(HOURS))
            await office.sender.wait_for(ActionType.ADD_TAGS)
            await desk.wake(office.write(MEDIUM))  # a recontact, which this release tells of differently
            await office.sender.wait_for(ActionType.SLACK_POST)
        async with release(desk, earlier=False):
            await environment.sleep(timedelta(weeks=6))
            assert await desk.vote(VoteKind.APPROVE) is ApprovalStatus.APPROVED
            await run.result()
        handles: list[WorkflowHandle[Any, Any]] = [desk.ticket(), *desk.approvals()]
        histories = [await handle.fetch_history() for handle in handles]

    assert len(office.sender.sent(ActionType.REFUND)) == 1
    assert office.tickets.reasons[TICKET][:2] == ["answered", "recontacted"]
    replayer = make_replayer(InMemoryKeys(), WORKFLOWS)
    for history in histories:
        await replayer.replay_workflow(history)
