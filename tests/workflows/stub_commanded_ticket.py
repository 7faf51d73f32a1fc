"""A ticket that only listens: the sandbox loads this file, so nothing of the tests is imported here."""

from temporalio import workflow

from domain.ownership import Stop, TakeOver
from domain.ticket import TicketRef
from workflows.messages import DeliveryArrived


@workflow.defn(name="TicketWorkflow")
class CommandedTicket:
    """Writes down what it is told. Ends when it is stopped or woken."""

    def __init__(self) -> None:
        self._orders: list[TakeOver | Stop] = []
        self._woken: list[DeliveryArrived] = []
        self._over = False

    @workflow.run
    async def run(self, ticket: TicketRef) -> list[int]:
        self._ticket = ticket
        await workflow.wait_condition(lambda: self._over)
        return [order.owner_epoch for order in self._orders]

    @workflow.signal
    def delivery_arrived(self, delivery: DeliveryArrived) -> None:
        self._woken.append(delivery)
        self._over = True

    @workflow.update
    def take_over(self, order: TakeOver) -> None:
        self._orders.append(order)

    @workflow.update
    def stop(self, order: Stop) -> None:
        self._orders.append(order)
        self._over = True

    @workflow.query
    def orders(self) -> list[TakeOver | Stop]:
        return self._orders


@workflow.defn(name="TicketWorkflow")
class OlderTicket:
    """Knows no commands."""

    @workflow.run
    async def run(self, ticket: TicketRef) -> None:
        self._ticket = ticket
        await workflow.wait_condition(lambda: False)
