"""Facts: typed records from the tenant's systems. Policy and arguments use only these, never a text."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.conversation import TextModel
from domain.model import Currency, Digest, Model, RecordId

# Currencies whose minor unit is not a hundredth (ISO 4217, list one).
DECIMALS: Mapping[str, int] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX"), 0),
    **dict.fromkeys(("VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


class Money(Model):
    """An amount in minor units of its currency (cents for EUR)."""

    minor_units: int
    currency: Currency

    def __str__(self) -> str:
        """As people read it, with the decimals of its currency: '49.90 EUR', '-0.05 EUR', '5000 JPY'."""
        digits = DECIMALS.get(self.currency, 2)
        units = str(abs(self.minor_units)).zfill(digits + 1)
        whole, rest = units[: len(units) - digits], units[len(units) - digits :]
        sign = "-" if self.minor_units < 0 else ""
        return f"{sign}{whole}{'.' if rest else ''}{rest} {self.currency}"


class OrderStatus(StrEnum):
    """Where an order stands in the shop."""

    PENDING = "pending"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class OrderFact(Model):
    """One order; comparisons with raw values were made where it was read and leave as booleans."""

    id: RecordId
    payment_id: RecordId | None
    status: OrderStatus
    total: Money
    refundable: Money  # paid minus already refunded
    owner_is_requester: bool
    mentioned: bool  # the conversation names it
    ordered_at: AwareDatetime
    delivered_at: AwareDatetime | None = None


class Facts(Model):
    """Everything looked up for one turn."""

    requester_known: bool  # the shop has an account with the requester's e-mail
    orders: tuple[OrderFact, ...] = ()
    as_of: AwareDatetime
    orders_mentioned: int = Field(default=0, ge=0)  # order numbers in the conversation, found or not
    customer: RecordId | None = None  # the requester's account in the shop; None where it is not certain
    input_digest: Digest

    @property
    def order_in_question(self) -> OrderFact | None:
        """The one order the ticket is about: exactly one mentioned order of the requester's, else None."""
        named = [order for order in self.orders if order.mentioned and order.owner_is_requester]
        return named[0] if len(named) == 1 and self.orders_mentioned == 1 else None

    def order(self, id_: RecordId) -> OrderFact | None:
        """The one with this id."""
        return next((order for order in self.orders if order.id == id_), None)


class OrderRecord(TextModel):
    """An order as the tenant's shop has it."""

    number: str
    customer_email: str
    status: OrderStatus
    total: Money
    refunded: Money
    payment_id: str | None
    ordered_at: datetime
    delivered_at: datetime | None
