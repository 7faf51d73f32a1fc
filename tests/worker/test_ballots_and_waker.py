"""Votes and wake-ups on a real Temporal server, whose words for absence we rely on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from adapters.embedded.home import temporary_home
from adapters.embedded.temporal import TemporalServer, start_temporal
from adapters.in_memory import InMemoryKeys
from adapters.temporal import connect, make_worker
from domain.approval import Eligibility, Vote, VoteKind, VoteRefusal
from domain.model import ApprovalId
from domain.ticket import TicketRef
from tests.office import NOW, TENANT
from tests.worker.stub_workflows import CountingTicket, Question
from worker.ballots import NoAnswer, NotAsked, TemporalBallots
from worker.relay import TemporalAway, TemporalWaker
from workflows.ids import TICKET_QUEUE, approval_workflow_id, ticket_workflow_id

QUEUE = "ballots"


def a_vote(id_: ApprovalId, kind: VoteKind = VoteKind.APPROVE, revision: int = 1) -> Vote:
    return Vote(
        approval_id=id_,
        revision=revision,
        digest="sha256:" + "b" * 64,
        kind=kind,
        eligibility=Eligibility(principal="principal_" + "1" * 24, groups=("approvers",), as_of=NOW),
    )


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[TemporalServer]:
    with temporary_home() as home:
        server = await asyncio.to_thread(start_temporal, home, None, None)
        yield server
        await asyncio.to_thread(server.stop)


@pytest.fixture(scope="module")
async def client(server: TemporalServer) -> Client:
    return await connect(InMemoryKeys(), address=server.address, namespace=server.namespace)


@pytest.fixture(scope="module")
async def worker(client: Client) -> AsyncIterator[Worker]:
    async with make_worker(client, QUEUE, workflows=[Question]) as worker:
        yield worker


@pytest.fixture
def ballots(client: Client) -> TemporalBallots:
    return TemporalBallots(client)


async def asked(client: Client, queue: str = QUEUE) -> tuple[ApprovalId, WorkflowHandle[Question, int]]:
    id_ = "apr_" + uuid4().hex
    ticket = TicketRef(tenant_id=TENANT, route=uuid4().hex)
    handle = await client.start_workflow(
        Question.run, ticket, id=approval_workflow_id(TENANT, id_), task_queue=queue
    )
    return id_, handle


async def test_vote_is_taken_once_and_its_copy_is_answered_the_same(
    client: Client, worker: Worker, ballots: TemporalBallots
) -> None:
    id_, handle = await asked(client)

    answers = [await ballots.cast(TENANT, a_vote(id_), "vote-1") for _ in range(2)]

    assert answers == [None, None]
    assert await handle.result() == 1


async def test_refusal_says_why(client: Client, worker: Worker, ballots: TemporalBallots) -> None:
    id_, handle = await asked(client)

    answer = await ballots.cast(TENANT, a_vote(id_, VoteKind.REJECT), "vote-1")

    assert answer is VoteRefusal.NOT_ELIGIBLE
    await handle.terminate()


async def test_refusal_nobody_knows_is_no_answer(
    client: Client, worker: Worker, ballots: TemporalBallots
) -> None:
    id_, handle = await asked(client)

    with pytest.raises(NoAnswer):
        await ballots.cast(TENANT, a_vote(id_, revision=2), "vote-1")

    await handle.terminate()


async def test_vote_after_the_end_is_not_pending(
    client: Client, worker: Worker, ballots: TemporalBallots
) -> None:
    id_, handle = await asked(client)
    await ballots.cast(TENANT, a_vote(id_), "vote-1")
    await handle.result()

    answer = await ballots.cast(TENANT, a_vote(id_), "vote-2")

    assert answer is VoteRefusal.NOT_PENDING


async def test_vote_before_the_start_is_told_apart(ballots: TemporalBallots) -> None:
    id_ = "apr_" + uuid4().hex

    with pytest.raises(NotAsked):
        await ballots.cast(TENANT, a_vote(id_), "vote-1")


async def test_vote_that_no_worker_takes_is_no_answer(client: Client) -> None:
    id_, handle = await asked(client, queue="nobody-polls-here")
    impatient = TemporalBallots(client, patience=timedelta(milliseconds=300))

    with pytest.raises(NoAnswer):
        await impatient.cast(TENANT, a_vote(id_), "vote-1")

    await handle.terminate()


async def test_wake_ups_of_a_ticket_meet_in_one_run(client: Client) -> None:
    ticket = TicketRef(tenant_id=TENANT, route=uuid4().hex)
    waker = TemporalWaker(client)

    async with make_worker(client, TICKET_QUEUE, workflows=[CountingTicket]):
        await asyncio.gather(*(waker.wake(ticket, uuid4()) for _ in range(2)))
        counted = await client.get_workflow_handle(ticket_workflow_id(ticket)).result()

    assert counted == 2


async def test_server_that_went_away_is_away() -> None:
    with temporary_home() as home:
        server = await asyncio.to_thread(start_temporal, home, None, None)
        client = await connect(InMemoryKeys(), address=server.address, namespace=server.namespace)
        await asyncio.to_thread(server.stop)

        with pytest.raises(TemporalAway):
            await TemporalWaker(client, patience_s=0.5).wake(
                TicketRef(tenant_id=TENANT, route="a" * 32), uuid4()
            )
