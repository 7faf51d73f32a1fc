"""Write down how a turn or a ticket ended."""

from uuid import UUID

from temporalio import activity

from domain.model import Code, Digest, MessageKey, Model, digest_of
from domain.ports import Tickets
from domain.ticket import ClosingRecord, Settlement, Stage, TicketRef


class SettleInput(Model):
    """How it ended and, if a customer's message had its turn, which one."""

    ticket: TicketRef
    record: ClosingRecord
    stage: Stage
    reason: Code
    message: MessageKey | None = None
    retrieved: tuple[UUID, ...] = ()


class Settled(Model):
    """It is written."""

    input_digest: Digest


class SettlementActivities:
    """Writes states, not changes, so repeating is safe."""

    def __init__(self, *, tickets: Tickets) -> None:
        self._tickets = tickets

    @activity.defn
    async def settle(self, input: SettleInput) -> Settled:
        """In one transaction: whoever looks meanwhile sees the ticket before or after, never in between."""
        settlement = Settlement(
            record=input.record,
            stage=input.stage,
            reason=input.reason,
            message=input.message,
            retrieved=input.retrieved,
        )
        await self._tickets.settle(input.ticket, settlement)
        return Settled(input_digest=digest_of(input))
