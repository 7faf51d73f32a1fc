"""Rows of a public data set as our records. Used by tests only: the product never sees such rows."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.policy.bundle import Bundle
from adapters.policy.file import parse
from domain.amount import minor_units
from domain.decision import (
    ActionInput,
    Channel,
    ConsentInput,
    IdentityInput,
    PolicyInput,
    TicketInput,
    Value,
)
from domain.fact import Money
from domain.order_change import (
    ChangeKind,
    OrderChange,
    OrderItem,
    Payment,
    PaymentMethod,
    ShopCustomer,
    ShopOrder,
    ShopRecords,
    Variant,
)
from domain.order_change_facts import facts_of
from domain.ticket import Mode, Owner

BESIDE = Path(__file__).parents[3] / "shared" / "fixtures"
FIXTURES = Path(os.environ.get("COUNTERSIGN_FIXTURES", BESIDE))  # noqa: TID251 - only tests know fixtures
POLICY = Path(__file__).parent / "retail.yaml"
Row = dict[str, Any]

# Their tools, what each does, and what our file calls it.
TOOLS: Mapping[str, tuple[ChangeKind, str]] = {
    "cancel_pending_order": (ChangeKind.CANCEL, "cancel_order"),
    "modify_pending_order_payment": (ChangeKind.PAY_OTHERWISE, "change_payment"),
    "modify_pending_order_items": (ChangeKind.SWAP_ITEMS, "change_items"),
    "modify_pending_order_address": (ChangeKind.SHIP_ELSEWHERE, "change_address"),
    "return_delivered_order_items": (ChangeKind.RETURN_ITEMS, "return_items"),
    "exchange_delivered_order_items": (ChangeKind.SWAP_ITEMS, "exchange_items"),
}


def rows(name: str) -> list[Row]:
    """Of a file of the public fixtures, digits kept as they are written; skips where there is none."""
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"{name} is not here: set COUNTERSIGN_FIXTURES to the fixtures folder")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line, parse_float=Decimal) for line in lines]


@lru_cache(maxsize=1)
def shop_policy() -> Bundle:
    return parse(POLICY.read_text(encoding="utf-8"))


def amount(dollars: Decimal | int) -> Money:
    return Money(minor_units=minor_units(Decimal(dollars)), currency="USD")


def customer(row: Row) -> ShopCustomer:
    methods = [
        PaymentMethod(
            id=name,
            gift_card=method["source"] == "gift_card",
            balance=amount(method["balance"]) if "balance" in method else None,
        )
        for name, method in row["payment_methods"].items()
    ]
    return ShopCustomer(id=row["user_id"], payment_methods=tuple(methods))


def order(row: Row, *, items_changed_before: bool = False) -> ShopOrder:
    payments = [
        Payment(
            method=each["payment_method_id"],
            amount=amount(each["amount"] if each["transaction_type"] == "payment" else -each["amount"]),
        )
        for each in row["payment_history"]
    ]
    items = [
        OrderItem(id=each["item_id"], product=each["product_id"], price=amount(each["price"]))
        for each in row["items"]
    ]
    return ShopOrder(
        id=row["order_id"],
        customer=row["user_id"],
        status=code(row["status"]),
        items=tuple(items),
        payments=tuple(payments),
        items_changed_before=items_changed_before,
    )


def variants(new_items: Row) -> tuple[Variant, ...]:
    return tuple(
        Variant(id=name, product=each["product_id"], price=amount(each["price"]), available=each["available"])
        for name, each in new_items.items()
    )


def code(text: str) -> str:
    """Their words as one of ours: "no longer needed" is no_longer_needed."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def change(requester: str, tool: str, arguments: Row) -> OrderChange:
    return OrderChange(
        kind=TOOLS[tool][0],
        requester=requester,
        order=arguments["order_id"],
        items=tuple(arguments.get("item_ids", ())),
        new_items=tuple(arguments.get("new_item_ids", ())),
        payment_method=arguments.get("payment_method_id"),
    )


def _arguments(proposed: OrderChange, arguments: Row) -> Iterator[tuple[str, Value]]:
    yield "order", proposed.order
    if "reason" in arguments:
        yield "reason", code(arguments["reason"])
    if "item_ids" in arguments:
        yield "items", proposed.items
    if "new_item_ids" in arguments:
        yield "new_items", proposed.new_items
    if proposed.payment_method is not None:
        yield "payment_method", proposed.payment_method
    if proposed.kind is ChangeKind.SHIP_ELSEWHERE:
        yield "address", "address_in_the_vault"


def proposal(requester: ShopCustomer, tool: str, arguments: Row, records: ShopRecords) -> PolicyInput:
    """The data set takes for granted that the customer is identified and has confirmed."""
    proposed = change(requester.id, tool, arguments)
    given = dict(_arguments(proposed, arguments))
    return asked(TOOLS[tool][1], given, facts_of(proposed, records))


def asked(action: str, arguments: Mapping[str, Value], facts: Mapping[str, Value]) -> PolicyInput:
    """Of an identified customer who has confirmed."""
    declared = shop_policy().actions[action]
    amount_of = declared.amount
    return PolicyInput(
        tenant_id=UUID(int=1),
        ticket_id=UUID(int=2),
        mode=Mode.AUTOMATE,
        channel=Channel.PUBLIC,
        identity=IdentityInput(verified=True),
        consent=ConsentInput(given=True),
        facts=dict(facts),
        action=ActionInput(
            type=action,
            band=declared.band,
            digest=f"sha256:{'a' * 64}",
            amount=amount_of.of(facts) if amount_of is not None else None,
            arguments=dict(arguments),
        ),
        ticket=TicketInput(owner=Owner.AUTOMATION, turn=0),
    )


def probe_input(row: Row) -> PolicyInput:
    """Of a probe, without its `expected` and `mutation`, which never reach this function."""
    requester = customer(row["acting_user"])
    records = ShopRecords(
        order=order(row["order"]) if row["order"] else None,
        requester=requester,
        variants=variants(row["new_items"]),
    )
    action = row["proposed_action"]
    return proposal(requester, action["tool"], action["arguments"], records)


def stripped(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"expected", "mutation"}}
