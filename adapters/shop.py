"""Reads the orders and accounts of a tenant's shop."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from adapters.http import RestApi, segment
from domain.fact import Money, OrderRecord, OrderStatus


class WireModel(BaseModel):
    """What a shop answers; fields that we do not use are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class WireOrder(WireModel):
    """An order as the shop has it; money in minor units."""

    number: str
    customer_email: str
    status: OrderStatus
    total: Money
    refunded: Money
    payment_id: str | None = None
    ordered_at: datetime
    delivered_at: datetime | None = None


class WireOrders(WireModel):
    """Orders of one account."""

    orders: tuple[WireOrder, ...]


class WireCustomer(WireModel):
    """An account."""

    id: str


class WireCustomers(WireModel):
    """Accounts with one e-mail."""

    customers: tuple[WireCustomer, ...]


class RestShop:
    """The `Shop` port over the generic shop format."""

    def __init__(self, api: RestApi) -> None:
        self._api = api

    async def orders_of(self, tenant_id: UUID, email: str) -> Sequence[OrderRecord]:
        """Orders of the account with this e-mail; empty where there is none."""
        found = await self._api.read(tenant_id, "orders", WireOrders, {"email": email})
        return [_record(order) for order in found.orders] if found else []

    async def order(self, tenant_id: UUID, number: str) -> OrderRecord | None:
        """One order by number, whoever owns it."""
        found = await self._api.read(tenant_id, f"orders/{segment(number)}", WireOrder)
        return _record(found) if found else None

    async def account(self, tenant_id: UUID, email: str) -> str | None:
        """The shop's own id of the account with this e-mail; None where there is none, or not exactly one."""
        found = await self._api.read(tenant_id, "customers", WireCustomers, {"email": email})
        ids = {customer.id for customer in found.customers} if found else set()
        return ids.pop() if len(ids) == 1 else None


def _record(order: WireOrder) -> OrderRecord:
    return OrderRecord.model_validate(order.model_dump())
