"""Workflows that only answer: the sandbox loads this file, so nothing of the tests is imported here."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.approval import Vote, VoteKind
from domain.ticket import TicketRef
from workflows.messages import DeliveryArrived


@workflow.defn(name="TicketWorkflow")
class CountingTicket:
    """Counts its wake-ups."""

    def __init__(self) -> None:
        self._deliveries: list[DeliveryArrived] = []

    @workflow.run
    async def run(self, ticket: TicketRef) -> int:
        self._ticket = ticket
        await workflow.wait_condition(lambda: len(self._deliveries) == 2)
        return len(self._deliveries)

    @workflow.signal
    def delivery_arrived(self, delivery: DeliveryArrived) -> None:
        self._deliveries.append(delivery)


@workflow.defn
class Question:
    """Takes approvals, refuses rejections, ends at the first vote."""

    def __init__(self) -> None:
        self._votes: list[Vote] = []

    @workflow.run
    async def run(self, ticket: TicketRef) -> int:
        self._ticket = ticket
        await workflow.wait_condition(lambda: bool(self._votes))
        return len(self._votes)

    @workflow.update
    def vote(self, vote: Vote) -> None:
        self._votes.append(vote)

    @vote.validator
    def _refuse(self, vote: Vote) -> None:
        if vote.kind is VoteKind.REJECT:
            raise ApplicationError("not_eligible", type="not_eligible", non_retryable=True)
        if vote.revision == 2:
            raise ApplicationError("strange", type="Strange", non_retryable=True)
