"""Orders, their payments and refunds: the shop and the payment provider share this book."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from emulators.clock import Clock, iso
from emulators.database import Database
from emulators.problems import Refused

Json = dict[str, Any]
ORDERS = (
    "SELECT orders.*, (SELECT coalesce(sum(amount), 0) FROM refunds"
    " WHERE refunds.payment_id = orders.payment_id) AS refunded FROM orders"
)


@dataclass(frozen=True)
class Asked:
    """A refund as asked for, amount in minor units."""

    payment_id: str
    amount: int
    currency: str
    reference: str


class OrderBook:
    """Reads orders, records refunds."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def customers(self, brand: str, email: str) -> list[Json]:
        rows = self._database.all(
            "SELECT rowid, * FROM customers WHERE brand = ? AND email = ?", brand, email.strip()
        )
        return [{"id": f"cus_{row['rowid']}", **_without(row, "brand", "rowid")} for row in rows]

    def orders(self, brand: str, email: str | None = None) -> list[Json]:
        """Newest first; of one customer or of all."""
        rows = self._database.all(
            f"{ORDERS} WHERE brand = ? AND customer_email = coalesce(?, customer_email)"
            " ORDER BY ordered_at DESC, number",
            brand,
            email.strip() if email is not None else None,
        )
        return [order_json(row) for row in rows]

    def order(self, brand: str, number: str) -> Json:
        row = self._database.one(f"{ORDERS} WHERE brand = ? AND number = ?", brand, number)
        if row is None:
            raise Refused(404, "unknown_order", "There is no such order")
        return order_json(row)

    def payment(self, payment_id: str) -> Json:
        row = self._database.one(f"{ORDERS} WHERE payment_id = ?", payment_id)
        if row is None:
            raise Refused(404, "unknown_payment", "There is no such payment")
        return {
            "id": payment_id,
            "object": "payment",
            "amount": row["total"],
            "refunded": row["refunded"],
            "currency": row["currency"],
            "status": "succeeded",
        }

    def refund(self, asked: Asked, key: str) -> tuple[Json, bool]:
        """The refund under this key, and whether it was there before."""
        with self._database.transaction():
            earlier = self._database.one("SELECT * FROM refunds WHERE idempotency_key = ?", key)
            if earlier is not None:
                return _same_refund(earlier, asked), True
            self._refuse_impossible(asked)
            return self._record(asked, key), False

    def refund_by_id(self, refund_id: str) -> Json:
        row = self._database.one("SELECT * FROM refunds WHERE id = ?", refund_id)
        if row is None:
            raise Refused(404, "unknown_refund", "There is no such refund")
        return refund_json(row)

    def refunds(self, reference: str | None = None, payment_id: str | None = None) -> list[Json]:
        """Newest first."""
        rows = self._database.all(
            "SELECT * FROM refunds WHERE reference = coalesce(?, reference)"
            " AND payment_id = coalesce(?, payment_id) ORDER BY created_at DESC, rowid DESC",
            reference,
            payment_id,
        )
        return [refund_json(row) for row in rows]

    def refunds_with_orders(self, brand: str | None = None) -> list[Json]:
        """For the pages: which order of which brand a refund belongs to."""
        rows = self._database.all(
            "SELECT refunds.*, orders.brand, orders.number FROM refunds JOIN orders USING (payment_id)"
            " WHERE orders.brand = coalesce(?, orders.brand)"
            " ORDER BY refunds.created_at DESC, refunds.rowid DESC",
            brand,
        )
        return [{**refund_json(row), "brand": row["brand"], "order": row["number"]} for row in rows]

    def _refuse_impossible(self, asked: Asked) -> None:
        payment = self.payment(asked.payment_id)
        if asked.currency != payment["currency"]:
            raise Refused(422, "wrong_currency", "The payment was made in another currency")
        if asked.amount > payment["amount"] - payment["refunded"]:
            raise Refused(422, "amount_too_large", "The refund is larger than what is left of the payment")

    def _record(self, asked: Asked, key: str) -> Json:
        refund_id = f"re_{uuid4().hex[:24]}"
        self._database.run(
            "INSERT INTO refunds VALUES (?, ?, ?, ?, ?, ?, ?)",
            refund_id,
            asked.payment_id,
            asked.amount,
            asked.currency,
            asked.reference,
            key,
            iso(self._clock()),
        )
        return self.refund_by_id(refund_id)


def order_json(row: sqlite3.Row) -> Json:
    return {
        "number": row["number"],
        "customer_email": row["customer_email"],
        "status": row["status"],
        "total": {"minor_units": row["total"], "currency": row["currency"]},
        "refunded": {"minor_units": row["refunded"], "currency": row["currency"]},
        "payment_id": row["payment_id"],
        "ordered_at": row["ordered_at"],
        "delivered_at": row["delivered_at"],
        "items": json.loads(row["items"]),
    }


def refund_json(row: sqlite3.Row) -> Json:
    return {
        "id": row["id"],
        "object": "refund",
        "payment_id": row["payment_id"],
        "amount": row["amount"],
        "currency": row["currency"],
        "reference": row["reference"],
        "status": "succeeded",
        "created_at": row["created_at"],
    }


def _same_refund(earlier: sqlite3.Row, asked: Asked) -> Json:
    then = Asked(earlier["payment_id"], earlier["amount"], earlier["currency"], earlier["reference"])
    if then != asked:
        raise Refused(409, "idempotency_conflict", "This Idempotency-Key was used for another refund")
    return refund_json(earlier)


def _without(row: sqlite3.Row, *names: str) -> Json:
    return {name: row[name] for name in row.keys() if name not in names}  # noqa: SIM118 - a Row iterates its values
