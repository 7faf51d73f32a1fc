"""The setup as the emulators remember it."""

import json

from emulators.database import Database
from emulators.setup import Brand, BrandSettings, Order, Setup
from emulators.slack_teams import SlackTeams


class Register:
    """Reads and writes the setup in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.slack = SlackTeams(database)

    def apply(self, setup: Setup) -> None:
        """Adds and replaces; applying it again changes nothing, and nothing that happened is lost."""
        with self._database.transaction():
            if setup.control_token:
                self._set("control_token", setup.control_token)
            if setup.payments:
                self._set("payments_key", setup.payments.secret_key)
            if setup.slack:
                self.slack.apply(setup.slack)
            for brand in setup.brands:
                self._apply_brand(brand)

    def control_token(self) -> str | None:
        return self._get("control_token")

    def payments_key(self) -> str | None:
        return self._get("payments_key")

    def brands(self) -> list[BrandSettings]:
        rows = self._database.all("SELECT setup FROM brands ORDER BY position")
        return [BrandSettings.model_validate_json(row["setup"]) for row in rows]

    def brand(self, name: str) -> BrandSettings | None:
        row = self._database.one("SELECT setup FROM brands WHERE name = ?", name)
        return BrandSettings.model_validate_json(row["setup"]) if row else None

    def _apply_brand(self, brand: Brand) -> None:
        settings = brand.model_dump_json(exclude={"customers", "orders"})
        self._database.run(
            "INSERT INTO brands (name, position, setup) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET setup = excluded.setup",
            brand.name,
            self._database.next_number("position:brands", 1),
            settings,
        )
        for customer in brand.customers:
            self._database.run(
                "INSERT INTO customers VALUES (?, ?, ?, ?, ?) ON CONFLICT (brand, email) DO UPDATE"
                " SET name = excluded.name, phone = excluded.phone, address = excluded.address",
                brand.name,
                customer.email,
                customer.name,
                customer.phone,
                customer.address,
            )
        for order in brand.orders:
            self._apply_order(brand.name, order)

    def _apply_order(self, brand: str, order: Order) -> None:
        self._database.run(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (brand, number) DO UPDATE"
            " SET customer_email = excluded.customer_email, status = excluded.status, total = excluded.total,"
            " currency = excluded.currency, payment_id = excluded.payment_id,"
            " ordered_at = excluded.ordered_at,"
            " delivered_at = excluded.delivered_at, items = excluded.items",
            brand,
            order.number,
            order.customer_email,
            order.status,
            order.total.minor_units,
            order.total.currency,
            order.payment_id,
            order.ordered_at,
            order.delivered_at,
            json.dumps(order.items),
        )

    def _get(self, name: str) -> str | None:
        row = self._database.one("SELECT value FROM settings WHERE name = ?", name)
        return str(row["value"]) if row else None

    def _set(self, name: str, value: str) -> None:
        self._database.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, value)
