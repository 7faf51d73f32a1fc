"""Workflows under our names that are over at once; in a module of their own for the sandbox."""

from temporalio import workflow

from domain.ticket import TicketRef


@workflow.defn(name="TicketWorkflow")
class Brief:
    """Ends at once, or after one more run."""

    @workflow.run
    async def run(self, ticket: TicketRef) -> None:
        if ticket.route.startswith("c") and workflow.info().continued_run_id is None:
            workflow.continue_as_new(ticket)


@workflow.defn(name="ApprovalWorkflow")
class Alone:
    """An approval that no ticket asked for."""

    @workflow.run
    async def run(self, ticket: TicketRef) -> None:
        del ticket
