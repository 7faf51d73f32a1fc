"""A helpdesk, a shop and whatever takes effects, with switches for trouble."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.action import ActionType
from domain.conversation import Author, Conversation, Message
from domain.effect import Receipt, SendOrder
from domain.errors import TicketNotFound
from domain.fact import OrderRecord
from domain.model import EffectKey


class InMemoryHelpdesk:
    """`Helpdesk`: tickets by external id."""

    def __init__(self) -> None:
        self.tickets: dict[str, Conversation] = {}

    async def read(self, tenant_id: UUID, external_id: str) -> Conversation:
        """Raises `TicketNotFound`."""
        del tenant_id
        if external_id not in self.tickets:
            raise TicketNotFound
        return self.tickets[external_id]

    def add(self, external_id: str, message: Message) -> None:
        """Somebody writes."""
        ticket = self.tickets[external_id]
        self.tickets[external_id] = ticket.model_copy(update={"messages": (*ticket.messages, message)})


class InMemoryShop:
    """`Shop`: orders by number."""

    def __init__(self, *orders: OrderRecord) -> None:
        self.orders = {order.number: order for order in orders}

    async def orders_of(self, tenant_id: UUID, email: str) -> Sequence[OrderRecord]:
        """Newest last, as they were given."""
        del tenant_id
        return [order for order in self.orders.values() if order.customer_email == email]

    async def order(self, tenant_id: UUID, number: str) -> OrderRecord | None:
        """By exact number."""
        del tenant_id
        return self.orders.get(number)

    async def account(self, tenant_id: UUID, email: str) -> str | None:
        """An account is an e-mail with an order."""
        return f"account of {email}" if await self.orders_of(tenant_id, email) else None


class InMemorySender:
    """`Sender` of every kind of action: remembers what the outside saw.

    `troubles` are raised one per call, before or after the effect happened.
    """

    def __init__(
        self,
        *,
        now: datetime,
        idempotent: bool = True,
        settle_time: timedelta = timedelta(seconds=30),
        action_types: frozenset[ActionType] = frozenset(ActionType),
        helpdesk: InMemoryHelpdesk | None = None,
    ) -> None:
        self.action_types = action_types
        self.idempotent = idempotent
        self.settle_time = settle_time
        self.seen: list[SendOrder] = []  # each is one change in the outside world
        self.before: list[BaseException] = []  # raised and nothing happened
        self.after: list[BaseException] = []  # raised although it happened
        self.finding: list[BaseException] = []  # raised when reading back
        self._now = now
        self._helpdesk = helpdesk
        self._receipts: dict[EffectKey, Receipt] = {}

    async def send(self, order: SendOrder) -> Receipt:
        """An idempotent one answers a repeated key with the first receipt, as providers do."""
        if self.before:
            raise self.before.pop(0)
        if not self.idempotent or order.key not in self._receipts:
            self._happen(order)
        if self.after:
            raise self.after.pop(0)
        return self._receipts[order.key]

    async def find(self, order: SendOrder) -> Receipt | None:
        """By key."""
        if self.finding:
            raise self.finding.pop(0)
        return self._receipts.get(order.key)

    def sent(self, type_: ActionType) -> list[SendOrder]:
        """Changes of one kind."""
        return [order for order in self.seen if order.action.type is type_]

    def _happen(self, order: SendOrder) -> None:
        self.seen.append(order)
        self._receipts[order.key] = Receipt(external_id=f"x{len(self.seen)}", received_at=self._now)
        if self._helpdesk is not None and order.action.type is ActionType.REPLY:
            self._helpdesk.add(order.external_ticket_id, self._echo(order))

    def _echo(self, order: SendOrder) -> Message:
        return Message(
            external_id=f"echo-{len(self.seen)}",
            author=Author.AUTOMATION,
            body=order.text,
            public=True,
            written_at=self._now,
        )
