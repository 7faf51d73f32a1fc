"""A change of an order that somebody asks for, and the shop's records it is judged by.

Ids are the shop's own words; nothing is read out of how an id looks.
"""

from enum import StrEnum

from pydantic import Field

from domain.conversation import TextModel
from domain.fact import Money
from domain.model import Code


class ChangeKind(StrEnum):
    """What an order change does, whatever a shop calls it."""

    CANCEL = "cancel"
    RETURN_ITEMS = "return_items"
    SWAP_ITEMS = "swap_items"  # before or after delivery: other variants for items of the order
    PAY_OTHERWISE = "pay_otherwise"
    SHIP_ELSEWHERE = "ship_elsewhere"


class OrderChange(TextModel):
    """The proposed call. What a kind does not use stays empty."""

    kind: ChangeKind
    requester: str
    order: str
    items: tuple[str, ...] = ()
    new_items: tuple[str, ...] = ()  # in the order of `items`
    payment_method: str | None = None


class PaymentMethod(TextModel):
    """A way to pay that a customer has on file; only gift cards have a balance."""

    id: str
    gift_card: bool = False
    balance: Money | None = None


class ShopCustomer(TextModel):
    """Who orders, as the shop has them."""

    id: str
    payment_methods: tuple[PaymentMethod, ...] = ()


class OrderItem(TextModel):
    """One piece of an order. The same variant ordered twice is two of them."""

    id: str
    product: str
    price: Money


class Payment(TextModel):
    """Money of an order that moved: to the shop, or (negative) back to the method."""

    method: str
    amount: Money


class ShopOrder(TextModel):
    """An order as the shop has it."""

    id: str
    customer: str
    status: Code  # the shop's word
    items: tuple[OrderItem, ...] = Field(min_length=1)
    payments: tuple[Payment, ...] = ()
    items_changed_before: bool = False


class Variant(TextModel):
    """What the shop sells: one option of a product."""

    id: str
    product: str
    price: Money
    available: bool


class ShopRecords(TextModel):
    """Everything looked up for one change. What the shop does not know is not in it."""

    order: ShopOrder | None = None
    requester: ShopCustomer | None = None
    variants: tuple[Variant, ...] = ()
