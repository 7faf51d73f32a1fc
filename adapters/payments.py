"""Lets refunds out to a tenant's payment provider."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from adapters.http import SETTLE_TIME, Change, Clock, RestApi, utc_now
from domain.action import ActionType, Refund
from domain.effect import Receipt, SendOrder
from domain.errors import DeliveryRefused

FAILED = frozenset({"failed", "canceled", "cancelled"})
NO_LIST = 404  # a provider always has a list, so this tells nothing about the refund
FAILED_AT_THE_BANK = 402  # the provider answered 201, so the status is ours


class WireRefund(BaseModel):
    """A refund as the provider has it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    status: str
    reference: str | None = None


class WireRefunds(BaseModel):
    """Refunds with one reference."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    refunds: tuple[WireRefund, ...]


class RefundSender:
    """The `Sender` of refunds.

    Repeating is safe: the effect key is the provider's idempotency key and the refund's reference.
    """

    action_types = frozenset({ActionType.REFUND})
    idempotent = True
    settle_time: timedelta = SETTLE_TIME

    def __init__(self, api: RestApi, clock: Clock = utc_now) -> None:
        self._api = api
        self._clock = clock

    async def send(self, order: SendOrder) -> Receipt:
        """Money back to the payment that a fact named."""
        refund = Refund.model_validate(order.action)
        body = {
            "payment_id": order.record_ids[refund.payment],
            "amount": refund.amount.minor_units,
            "currency": refund.amount.currency,
            "reference": order.key,
        }
        change = Change("POST", "refunds", body, order.key)
        return self._receipt(await self._api.change(order.ticket.tenant_id, change, WireRefund))

    async def find(self, order: SendOrder) -> Receipt | None:
        """The refund with our reference; a failed one counts as refused."""
        query = {"reference": order.key}
        found = await self._api.read(order.ticket.tenant_id, "refunds", WireRefunds, query)
        if found is None:
            raise DeliveryRefused(NO_LIST)
        ours = [refund for refund in found.refunds if refund.reference == order.key]
        return self._receipt(ours[0]) if ours else None

    def _receipt(self, refund: WireRefund) -> Receipt:
        if refund.status in FAILED:
            raise DeliveryRefused(FAILED_AT_THE_BANK)
        return Receipt(external_id=refund.id, received_at=self._clock())
