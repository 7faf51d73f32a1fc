"""The control door: seeds, opens tickets, clicks, plants faults, shows the state. For demos and tests."""

import asyncio
from time import monotonic
from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from emulators.faults import Fault, FaultBook
from emulators.problems import Refused, require_bearer
from emulators.setup import Setup
from emulators.slack_clicks import Click, buttons, deliver
from emulators.tickets import Author, Filing, Json, MailHeaders, NewTicket, Words
from emulators.world import TheWorld, World

LOOK_EVERY_S = 0.1


def authorize(request: Request, world: TheWorld) -> None:
    """Checks the control token; without one the door stays shut."""
    require_bearer(request, world.register.control_token())


router = APIRouter(prefix="/control", dependencies=[Depends(authorize)])


class ManyTickets(BaseModel):
    """Tickets to open in one go."""

    model_config = ConfigDict(extra="forbid")

    tickets: list[NewTicket]


class NewMessage(BaseModel):
    """A further message of a customer or a teammate."""

    model_config = ConfigDict(extra="forbid")

    body: str = Field(min_length=1)
    author: Author = Author.CUSTOMER
    public: bool = True
    send_webhook: bool = True
    subject: str | None = None
    mail_headers: MailHeaders = {}


class Delivery(BaseModel):
    """Tells of a message that is there already."""

    model_config = ConfigDict(extra="forbid")

    message_id: str = Field(pattern=r"^m[0-9]{1,18}$")
    copies: int = Field(default=1, ge=1, le=10)


class ClickOrder(BaseModel):
    """A click by name; `approval` finds the message by its button's value, once it is posted."""

    model_config = ConfigDict(extra="forbid")

    user: str
    action_id: str
    channel: str | None = None
    ts: str | None = None
    approval: str | None = None
    reason: str | None = None
    within_s: float = Field(default=10.0, ge=0, le=60)


@router.post("/seed")
async def seed(setup: Setup, world: TheWorld) -> Json:
    world.register.apply(setup)
    return {"brands": [brand.name for brand in world.register.brands()]}


@router.post("/tickets")
async def open_tickets(new: ManyTickets | NewTicket, world: TheWorld) -> Json:
    if isinstance(new, NewTicket):
        return world.tickets.open(new).as_json()
    with world.database.transaction():
        return {"tickets": [world.tickets.open(ticket).as_json() for ticket in new.tickets]}


@router.post("/tickets/{brand}/{ticket_id}/messages")
async def write_message(brand: str, ticket_id: str, message: NewMessage, world: TheWorld) -> Json:
    words = Words(
        author=message.author,
        body=message.body,
        public=message.public,
        subject=message.subject,
        mail_headers=message.mail_headers,
    )
    return {"id": world.tickets.write(brand, ticket_id, words, copies=int(message.send_webhook))}


@router.post("/tickets/{brand}/{ticket_id}/deliveries")
async def announce(brand: str, ticket_id: str, delivery: Delivery, world: TheWorld) -> Json:
    world.tickets.announce(brand, ticket_id, delivery.message_id, delivery.copies)
    return {"message_id": delivery.message_id}


@router.patch("/tickets/{brand}/{ticket_id}")
async def file_ticket(brand: str, ticket_id: str, filing: Filing, world: TheWorld) -> Json:
    return world.tickets.file(brand, ticket_id, filing)


@router.post("/slack/click")
async def click(order: ClickOrder, request: Request, world: TheWorld) -> Json:
    message, button = await _found(world, order)
    inputs = tuple(
        (block["block_id"], block["element"]["action_id"], order.reason or "")
        for block in message["blocks"]
        if block["type"] == "input"
    )
    target = Click(order.user, message["channel"], message["ts"], order.action_id, button["block_id"], inputs)
    delivered = await deliver(world, target, str(request.base_url).rstrip("/"))
    return {
        "ok": delivered.ok,
        "status": delivered.status,
        "took_ms": delivered.took_ms,
        "message_ts": message["ts"],
        "channel": message["channel"],
    }


@router.get("/state")
async def state(world: TheWorld, brand: str | None = None) -> Json:
    names = [brand] if brand else [settings.name for settings in world.register.brands()]
    return {
        "tickets": [
            {"brand": name, **ticket} for name in names for ticket in world.tickets.conversations(name)
        ],
        "orders": [{"brand": name, **order} for name in names for order in world.orders.orders(name)],
        "refunds": world.orders.refunds_with_orders(brand),
        "slack": {"messages": world.slack.everything(_channels(world, brand))},
        "webhooks": [{"brand": name, **entry} for name in names for entry in world.tickets.deliveries(name)],
    }


@router.post("/faults")
async def order_fault(fault: Fault, world: TheWorld) -> Json:
    faults = FaultBook(world.database)
    faults.order(fault)
    return {"faults": faults.ordered()}


@router.post("/reset")
async def reset(world: TheWorld) -> Json:
    world.database.forget()
    return {"reset": True}


def _channels(world: World, brand: str | None) -> list[str] | None:
    settings = world.register.brand(brand) if brand else None
    return [settings.channel_id] if settings and settings.channel_id else None


async def _found(world: World, order: ClickOrder) -> tuple[Json, dict[str, Any]]:
    """Waits for the card of an approval: who orders the click may know of it before Slack does."""
    if order.ts is None and order.approval is None:
        raise Refused(422, "malformed", "A click needs `ts` or `approval`")
    until = monotonic() + (order.within_s if order.ts is None else 0)
    found = _find(world, order)
    while found is None and monotonic() < until:
        await asyncio.sleep(LOOK_EVERY_S)
        found = _find(world, order)
    if found is None:
        raise Refused(404, "no_such_button", "No message has this button")
    return found


def _find(world: World, order: ClickOrder) -> tuple[Json, dict[str, Any]] | None:
    for message in reversed(world.slack.everything([order.channel] if order.channel else None)):
        if order.ts not in {None, message["ts"]}:
            continue
        for button in buttons(message["blocks"]):
            wanted = order.approval is None or order.approval in button.get("value", "")
            if wanted and button["action_id"] == order.action_id:
                return message, button
    return None
