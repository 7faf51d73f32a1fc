"""Inputs of decisions as they come: refunds of all sizes, replies and office work."""

import hashlib
from uuid import UUID, uuid5

from domain.action import ActionType, RiskBand
from domain.decision import ActionInput, Channel, OrderInput, PolicyInput, TicketInput
from domain.fact import Money, OrderStatus
from domain.knowledge import KnowledgeZone
from domain.ticket import Mode, Owner

PER_TICKET = 3
TICKETS = UUID(int=7)


def an_input(tenant_id: UUID, number: int) -> PolicyInput:
    """The same for the same number."""
    action = (_refund, _reply, _office_work)[number % PER_TICKET](number)
    left = Money(minor_units=100_000, currency="EUR")
    return PolicyInput(
        tenant_id=tenant_id,
        ticket_id=uuid5(TICKETS, f"{tenant_id}/{number // PER_TICKET}"),
        mode=Mode.AUTOMATE,
        channel=Channel.PUBLIC,
        action=action,
        ticket=TicketInput(
            intent="damaged_item",
            queue="returns",
            confidence_permille=870,
            owner=Owner.AUTOMATION,
            turn=0,
        ),
        requester_known=True,
        order=OrderInput(
            status=OrderStatus.DELIVERED, owner_is_requester=True, delivered=True, total=left, refundable=left
        ),
    )


def _refund(number: int) -> ActionInput:
    amount = Money(minor_units=100 + number * 37 % 70_000, currency="EUR")
    return ActionInput(
        type=ActionType.REFUND, band=RiskBand.HIGH, digest=_digest(f"refund {number}"), amount=amount
    )


def _reply(number: int) -> ActionInput:
    zones = (KnowledgeZone.PUBLIC,) if number % 2 else (KnowledgeZone.PUBLIC, KnowledgeZone.INTERNAL)
    return ActionInput(
        type=ActionType.REPLY, band=RiskBand.LOW, digest=_digest(f"reply {number}"), zones=zones
    )


def _office_work(number: int) -> ActionInput:
    return ActionInput(type=ActionType.ADD_TAGS, band=RiskBand.LOW, digest=_digest(f"tags {number}"))


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
