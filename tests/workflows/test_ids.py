"""Starting a ticket: once, however often its deliveries knock."""

from uuid import uuid4

from temporalio.testing import WorkflowEnvironment

from adapters.temporal import make_worker
from tests.office import TENANT, TICKET, Office
from tests.workflows.running import WORKFLOWS
from workflows.ids import TICKET_QUEUE, approval_workflow_id, start_or_signal, ticket_workflow_id


async def test_repeated_deliveries_meet_one_run(environment: WorkflowEnvironment) -> None:
    office = Office(window_s=60)
    delivery = office.write("What are your opening hours?")
    client = environment.client

    async with make_worker(client, TICKET_QUEUE, workflows=WORKFLOWS, activities=office.steps()):
        first = await start_or_signal(client, TICKET, delivery.id)
        second = await start_or_signal(client, TICKET, uuid4())
        await first.result()

    assert first.id == second.id == ticket_workflow_id(TICKET)
    assert len(office.replies()) == 1


def test_ids_name_their_tenant() -> None:
    assert ticket_workflow_id(TICKET).split(":")[1] == str(TENANT)
    assert approval_workflow_id(TENANT, "apr_1").split(":")[1] == str(TENANT)
