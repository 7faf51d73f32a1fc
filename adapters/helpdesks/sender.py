"""Lets replies, notes, status and tags out to a generic helpdesk.

Bodies are plain text: the generic format shows them as they are, so nothing is escaped here.
An adapter for a helpdesk that takes HTML escapes the text before it sends.
"""

from datetime import timedelta

from pydantic import TypeAdapter

from adapters.helpdesks.generic import WireMessage, WireModel, WireTicket, ticket_path
from adapters.http import SETTLE_TIME, Change, Clock, RestApi, utc_now
from domain.action import ActionType, AddTags, PrivateNote, Reply, SetStatus
from domain.effect import Receipt, SendOrder

TicketAction = Reply | PrivateNote | SetStatus | AddTags
TICKET_ACTION: TypeAdapter[TicketAction] = TypeAdapter(TicketAction)


class WireTags(WireModel):
    """The tags of a ticket."""

    tags: tuple[str, ...]


class HelpdeskSender:
    """The `Sender` of everything that happens on a ticket.

    Repeating is safe: messages carry the effect key as idempotency key, which the helpdesk keeps as their
    `reference`; status and tags name the state to reach.
    """

    action_types = frozenset(
        {ActionType.REPLY, ActionType.PRIVATE_NOTE, ActionType.SET_STATUS, ActionType.ADD_TAGS}
    )
    idempotent = True
    settle_time: timedelta = SETTLE_TIME

    def __init__(self, api: RestApi, clock: Clock = utc_now) -> None:
        self._api = api
        self._clock = clock

    async def send(self, order: SendOrder) -> Receipt:
        """One change of the ticket."""
        match _action(order):
            case Reply():
                return await self._write(order, "replies")
            case PrivateNote():
                return await self._write(order, "notes")
            case SetStatus(status=status):
                await self._change(order, "PATCH", ticket_path(order.external_ticket_id), {"status": status})
                return self._receipt(f"status:{status}")
            case AddTags(tags=tags):
                return await self._add_tags(order, tags)

    async def find(self, order: SendOrder) -> Receipt | None:
        """Messages by their reference; status and tags by reading them back."""
        path = ticket_path(order.external_ticket_id)
        ticket = await self._api.read(order.ticket.tenant_id, path, WireTicket)
        if ticket is None:
            return None
        match _action(order):
            case Reply() | PrivateNote():
                ours = [m.id for m in ticket.messages if m.reference == order.key]
                return self._receipt(ours[0]) if ours else None
            case SetStatus(status=status):
                return self._receipt(f"status:{status}") if ticket.status == status else None
            case AddTags(tags=tags):
                return self._receipt(_tags_id(tags)) if set(tags) <= set(ticket.tags) else None

    async def _write(self, order: SendOrder, where: str) -> Receipt:
        path = ticket_path(order.external_ticket_id, where)
        change = Change("POST", path, {"body": order.text}, order.key)
        message = await self._api.change(order.ticket.tenant_id, change, WireMessage)
        return self._receipt(message.id)

    async def _add_tags(self, order: SendOrder, tags: tuple[str, ...]) -> Receipt:
        path = ticket_path(order.external_ticket_id, "tags")
        change = Change("POST", path, {"tags": list(tags)}, order.key)
        await self._api.change(order.ticket.tenant_id, change, WireTags)
        return self._receipt(_tags_id(tags))

    async def _change(self, order: SendOrder, method: str, path: str, body: dict[str, object]) -> None:
        await self._api.change(order.ticket.tenant_id, Change(method, path, body, order.key), WireTicket)

    def _receipt(self, external_id: str) -> Receipt:
        return Receipt(external_id=external_id, received_at=self._clock())


def _action(order: SendOrder) -> TicketAction:
    return TICKET_ACTION.validate_python(order.action)


def _tags_id(tags: tuple[str, ...]) -> str:
    return "tags:" + ",".join(sorted(tags))
