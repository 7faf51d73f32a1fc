"""Runs tickets of an office on the test server and casts votes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

from temporalio.client import WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from adapters.temporal import make_worker
from domain.approval import ApprovalStatus, Eligibility, Vote, VoteKind
from domain.model import ApprovalId
from domain.ports import Delivery
from tests.office import TENANT, TICKET, Office
from workflows.approval import ApprovalWorkflow
from workflows.ids import TASK_TIMEOUT, approval_workflow_id, first_attributes, ticket_workflow_id
from workflows.messages import DeliveryArrived, TicketClosed
from workflows.ticket import TicketWorkflow

WORKFLOWS = (TicketWorkflow, ApprovalWorkflow)
REASON = "reason_" + "0" * 64


class Desk:
    """A worker's view of one office."""

    def __init__(self, environment: WorkflowEnvironment, office: Office, queue: str) -> None:
        self.environment = environment
        self.client = environment.client
        self.office = office
        self.queue = queue
        self.runs: list[WorkflowHandle[TicketWorkflow, TicketClosed]] = []

    async def start(self, delivery: Delivery) -> WorkflowHandle[TicketWorkflow, TicketClosed]:
        """What the relay does."""
        run = await self.client.start_workflow(
            TicketWorkflow.run,
            TICKET,
            id=ticket_workflow_id(TICKET),
            task_queue=self.queue,
            task_timeout=TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="delivery_arrived",
            start_signal_args=[DeliveryArrived(tenant_id=TENANT, delivery_id=delivery.id)],
            search_attributes=first_attributes(TENANT),
        )
        self.runs.append(
            self.client.get_workflow_handle_for(TicketWorkflow.run, run.id, run_id=run.result_run_id)
        )
        return run

    async def wake(self, delivery: Delivery) -> None:
        """The same for a run that goes on."""
        await self.start(delivery)

    async def run(self, body: str) -> TicketClosed:
        """One customer message, until the run is over."""
        return await (await self.start(self.office.write(body))).result()

    def ticket(self) -> WorkflowHandle[TicketWorkflow, TicketClosed]:
        """The ticket's run."""
        return self.client.get_workflow_handle_for(TicketWorkflow.run, ticket_workflow_id(TICKET))

    def approval(self) -> WorkflowHandle[ApprovalWorkflow, object]:
        """The question that waits."""
        return self.client.get_workflow_handle_for(
            ApprovalWorkflow.run, approval_workflow_id(TENANT, self.approval_id())
        )

    def approvals(self) -> list[WorkflowHandle[ApprovalWorkflow, object]]:
        """Every question that was asked."""
        ids = [approval_workflow_id(TENANT, id_) for id_ in self.office.approvals.kept]
        return [self.client.get_workflow_handle_for(ApprovalWorkflow.run, id_) for id_ in ids]

    def approval_id(self) -> ApprovalId:
        """The newest question."""
        return list(self.office.approvals.kept)[-1]

    async def ballot(self, kind: VoteKind, /, **changes: object) -> Vote:
        """A vote that counts, unless a test changes it."""
        request = self.office.approvals.kept[self.approval_id()].request
        vote = {
            "approval_id": request.approval_id,
            "revision": request.revision,
            "digest": request.proposed.digest,
            "kind": kind,
            "eligibility": await self.eligibility(),
            "reason": REASON if kind is VoteKind.REJECT else None,
        }
        return Vote.model_validate(vote | changes)

    async def eligibility(self, principal: str = "1", *groups: str) -> Eligibility:
        now = await self.environment.get_current_time()
        return Eligibility(
            principal="principal_" + principal * 24, groups=groups or ("approvers",), as_of=now
        )

    async def leave(self) -> None:
        """The next test uses the same ids."""
        ids = [approval_workflow_id(TENANT, id_) for id_ in self.office.approvals.kept]
        for id_ in (ticket_workflow_id(TICKET), *ids):
            with suppress(RPCError):  # it is over
                await self.client.get_workflow_handle(id_).terminate()

    async def vote(self, kind: VoteKind, /, **changes: object) -> ApprovalStatus:
        ballot = await self.ballot(kind, **changes)
        return await self.approval().execute_update(ApprovalWorkflow.vote, ballot, id=str(uuid4()))


@asynccontextmanager
async def open_desk(environment: WorkflowEnvironment, office: Office) -> AsyncIterator[Desk]:
    queue = str(uuid4())
    worker: Worker = make_worker(environment.client, queue, workflows=WORKFLOWS, activities=office.steps())
    desk = Desk(environment, office, queue)
    async with worker:
        try:
            yield desk
        finally:
            await desk.leave()
