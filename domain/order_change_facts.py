"""Facts about a change of an order, for policy: exact, and without an opinion on what may be done.

A fact that cannot be known is left out, and policy denies what it does not know.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from domain.amount import negated, total
from domain.decision import Value
from domain.fact import Money
from domain.order_change import (
    ChangeKind,
    OrderChange,
    PaymentMethod,
    ShopOrder,
    ShopRecords,
    Variant,
)

Facts = dict[str, Value]
ITEMISED = frozenset({ChangeKind.RETURN_ITEMS, ChangeKind.SWAP_ITEMS})


def facts_of(change: OrderChange, records: ShopRecords) -> Facts:
    """By the names that policy files declare. The same records give the same facts."""
    order = records.order if records.order is not None and records.order.id == change.order else None
    method = _method(change, records)
    facts: Facts = {
        "order.exists": order is not None,
        "order.owned_by_requester": order is not None
        and records.requester is not None
        and order.customer == change.requester == records.requester.id,
    }
    if order is not None:
        facts |= {"order.status": order.status, "order.items_changed_before": order.items_changed_before}
        facts |= _held(order)
    if change.payment_method is not None:
        facts |= _method_facts(change.payment_method, method, order)
    if change.kind in ITEMISED:
        facts["items.in_order"] = order is not None and _within(change.items, order)
    if change.kind is ChangeKind.SWAP_ITEMS:
        facts |= _new_item_facts(change, order, records.variants)
    return facts | dict(_money_facts(change, order, records.variants))


def _method(change: OrderChange, records: ShopRecords) -> PaymentMethod | None:
    if records.requester is None or records.requester.id != change.requester:
        return None
    methods = {method.id: method for method in records.requester.payment_methods}
    return methods.get(change.payment_method) if change.payment_method is not None else None


def _method_facts(named: str, method: PaymentMethod | None, order: ShopOrder | None) -> Facts:
    facts: Facts = {
        "method.on_file": method is not None,
        "method.is_gift_card": method is not None and method.gift_card,
    }
    if order is not None:
        facts["method.paid_the_order"] = named in _paid(order)
    if method is not None and method.gift_card and method.balance is not None:
        facts["method.balance"] = method.balance
    return facts


def _held(order: ShopOrder) -> Facts:
    paid = total(payment.amount for payment in order.payments)
    return {"order.paid": paid} if paid is not None else {}


def _paid(order: ShopOrder) -> dict[str, list[Money]]:
    """What each method has paid and not had back; a method that has everything back is not in it."""
    by_method: dict[str, list[Money]] = {}
    for payment in order.payments:
        by_method.setdefault(payment.method, []).append(payment.amount)
    return {name: amounts for name, amounts in by_method.items() if _above_zero(amounts)}


def _above_zero(amounts: Sequence[Money]) -> bool:
    held = total(amounts)
    return held is None or held.minor_units > 0  # several currencies: held, though nobody can say how much


def _within(items: Sequence[str], order: ShopOrder) -> bool:
    """Each as often as it was ordered, at most. Nothing at all is not within."""
    return bool(items) and Counter(items) <= Counter(item.id for item in order.items)


def _new_item_facts(change: OrderChange, order: ShopOrder | None, variants: Sequence[Variant]) -> Facts:
    catalogue = {variant.id: variant for variant in variants}
    chosen = [catalogue.get(each) for each in change.new_items]
    products = {item.id: item.product for item in order.items} if order is not None else {}
    pairs = [*zip(change.items, chosen, strict=False)]
    return {
        "new_items.one_for_each": bool(change.items) and len(change.items) == len(change.new_items),
        "new_items.same_product": order is not None
        and all(new is not None and products.get(old) == new.product for old, new in pairs),
        "new_items.available": all(new is not None and new.available for new in chosen),
        "new_items.differ": all(new is not None and new.id != old for old, new in pairs),
    }


def _money_facts(
    change: OrderChange, order: ShopOrder | None, variants: Sequence[Variant]
) -> Iterator[tuple[str, Value]]:
    """What would move, and between whom."""
    if order is None:
        return
    match change.kind:
        case ChangeKind.CANCEL | ChangeKind.PAY_OTHERWISE:
            yield from _whole_order(change, order)
        case ChangeKind.RETURN_ITEMS:
            refund = total(_prices(change.items, order))
            yield from _moves("refund", refund, change.payment_method)
        case ChangeKind.SWAP_ITEMS:
            yield from _difference(change, order, variants)
        case ChangeKind.SHIP_ELSEWHERE:
            pass


def _whole_order(change: OrderChange, order: ShopOrder) -> Iterator[tuple[str, Value]]:
    """Everything goes back to who paid it; paid by several, there is no single target, and none is named."""
    paid = _paid(order)
    whole = total(amount for amounts in paid.values() for amount in amounts)
    yield from _moves("refund", whole, next(iter(paid)) if len(paid) == 1 else None)
    if change.kind is ChangeKind.PAY_OTHERWISE:
        yield from _moves("charge", whole, change.payment_method)


def _difference(
    change: OrderChange, order: ShopOrder, variants: Sequence[Variant]
) -> Iterator[tuple[str, Value]]:
    """New prices less old ones: above zero the customer pays, below it they get money back."""
    catalogue = {variant.id: variant.price for variant in variants}
    old = total(_prices(change.items, order))
    new = total(catalogue[each] for each in change.new_items if each in catalogue)
    known = len([each for each in change.new_items if each in catalogue]) == len(change.new_items)
    difference = total([new, negated(old)]) if old is not None and new is not None and known else None
    if difference is None:
        return
    units, currency = difference.minor_units, difference.currency
    yield from _moves("difference", difference, change.payment_method)
    yield "charge.total", Money(minor_units=max(units, 0), currency=currency)
    yield "refund.total", Money(minor_units=max(-units, 0), currency=currency)


def _moves(name: str, amount: Money | None, method: str | None) -> Iterator[tuple[str, Value]]:
    if amount is not None:
        yield f"{name}.total", amount
    if method is not None:
        yield f"{name}.method", method


def _prices(items: Sequence[str], order: ShopOrder) -> Iterator[Money]:
    """What was paid for each. Of one variant at several prices the cheapest goes first: never too much back.

    Items that are not in the order have no price, so no total is known.
    """
    if not _within(items, order):
        return
    for name, often in Counter(items).items():
        pieces = sorted(
            (item.price for item in order.items if item.id == name), key=lambda price: price.minor_units
        )
        yield from pieces[:often]
