"""Playbooks: the only source of actions without a model. A text can select one, never fill an argument."""

from enum import StrEnum

from domain.action import Refund
from domain.conversation import TextModel
from domain.fact import Facts, OrderFact
from domain.model import Code


class Requirement(StrEnum):
    """A fact that must be true before a playbook applies."""

    REQUESTER_KNOWN = "requester.known"
    ORDER_OWNER_IS_REQUESTER = "order.owner_is_requester"
    ORDER_DELIVERED = "order.delivered"
    ORDER_REFUNDABLE = "order.refundable"


class AmountPath(StrEnum):
    """Where a refund's amount comes from."""

    ORDER_REFUNDABLE = "order.refundable"


class RefundPlaybook(TextModel):
    """Intent + required facts → a refund whose every argument is a fact path.

    `reply` is the tenant's text for after the refund is confirmed. It may use `{amount}`.
    """

    id: Code
    intent: Code
    requires: tuple[Requirement, ...]
    amount: AmountPath = AmountPath.ORDER_REFUNDABLE
    reply: str

    def propose(self, facts: Facts) -> Refund | None:
        """The refund this playbook asks for, or None where a required fact is missing or false."""
        order = facts.order_in_question
        if order is None or order.payment_id is None or not self._applies(facts, order):
            return None
        return Refund(order=order.id, payment=order.payment_id, amount=order.refundable, playbook=self.id)

    def _applies(self, facts: Facts, order: OrderFact) -> bool:
        truths = {
            Requirement.REQUESTER_KNOWN: facts.requester_known,
            Requirement.ORDER_OWNER_IS_REQUESTER: order.owner_is_requester,
            Requirement.ORDER_DELIVERED: order.delivered_at is not None,
            Requirement.ORDER_REFUNDABLE: order.refundable.minor_units > 0,
        }
        return all(truths[requirement] for requirement in self.requires)
