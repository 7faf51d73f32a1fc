"""What the emulators are told: teams, brands, tokens, customers, orders. See README.md for an example."""

import base64
import binascii
import json
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from emulators.database import Database

DEFAULT_SCOPES = ("chat:write", "channels:history", "channels:read", "users:read")


def _signing_secret(secret: str) -> str:
    try:
        base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        sentence = "A webhook secret is 'whsec_' and base64 (Standard Webhooks)"
        raise ValueError(sentence) from error
    return secret


class Part(BaseModel):
    """One part of the setup; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SlackUser(Part):
    """A member of the team, or a guest of another one."""

    id: str = Field(pattern=r"^[UW][A-Z0-9]+$")
    name: str
    real_name: str = ""
    team_id: str | None = None
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False


class SlackChannel(Part):
    """A public channel."""

    id: str = Field(pattern=r"^[CG][A-Z0-9]+$")
    name: str
    is_archived: bool = False
    is_member: bool = True


class SlackInstallation(Part):
    """One team with one app in it."""

    team_id: str
    team_domain: str
    bot_token: str
    signing_secret: str
    request_url: str
    app_id: str = "A0EMULATED"
    bot_id: str = "B0EMULATED"
    bot_user_id: str = "U0EMULATED"
    bot_name: str = "Countersign"
    scopes: tuple[str, ...] = DEFAULT_SCOPES


class SlackSetup(SlackInstallation):
    """The installation with its people and channels."""

    users: tuple[SlackUser, ...] = ()
    channels: tuple[SlackChannel, ...] = ()


class WebhookTarget(Part):
    """Where a helpdesk announces messages."""

    url: str
    secret: Annotated[str, AfterValidator(_signing_secret)]


class Amount(Part):
    """Money in minor units."""

    minor_units: int = Field(ge=0)
    currency: str = Field(pattern=r"^[A-Z]{3}$")


class Customer(Part):
    """A customer of a shop."""

    email: str
    name: str
    phone: str | None = None
    address: str | None = None


class Order(Part):
    """An order and the payment that paid for it."""

    number: str
    customer_email: str
    status: str
    total: Amount
    payment_id: str
    ordered_at: str
    delivered_at: str | None = None
    items: tuple[str, ...] = ()


class BrandSettings(Part):
    """A brand with a helpdesk and a shop."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    helpdesk_token: str
    shop_token: str
    webhook: WebhookTarget | None = None
    channel_id: str | None = None


class Brand(BrandSettings):
    """A brand with what its shop knows."""

    customers: tuple[Customer, ...] = ()
    orders: tuple[Order, ...] = ()


class Payments(Part):
    """The payment provider's account."""

    secret_key: str


class Setup(Part):
    """Any part of the whole; what is absent stays as it is."""

    control_token: str | None = None
    slack: SlackSetup | None = None
    payments: Payments | None = None
    brands: tuple[Brand, ...] = ()


class Register:
    """Reads and writes the setup in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def apply(self, setup: Setup) -> None:
        """Adds and replaces; applying it again changes nothing, and nothing that happened is lost."""
        with self._database.transaction():
            if setup.control_token:
                self._set("control_token", setup.control_token)
            if setup.payments:
                self._set("payments_key", setup.payments.secret_key)
            if setup.slack:
                self._apply_slack(setup.slack)
            for brand in setup.brands:
                self._apply_brand(brand)

    def control_token(self) -> str | None:
        return self._get("control_token")

    def payments_key(self) -> str | None:
        return self._get("payments_key")

    def slack(self) -> SlackInstallation | None:
        stored = self._get("slack")
        return SlackInstallation.model_validate_json(stored) if stored else None

    def users(self) -> list[SlackUser]:
        rows = self._database.all("SELECT setup FROM slack_users ORDER BY position")
        return [SlackUser.model_validate_json(row["setup"]) for row in rows]

    def channels(self) -> list[SlackChannel]:
        rows = self._database.all("SELECT setup FROM slack_channels ORDER BY position")
        return [SlackChannel.model_validate_json(row["setup"]) for row in rows]

    def brands(self) -> list[BrandSettings]:
        rows = self._database.all("SELECT setup FROM brands ORDER BY position")
        return [BrandSettings.model_validate_json(row["setup"]) for row in rows]

    def brand(self, name: str) -> BrandSettings | None:
        row = self._database.one("SELECT setup FROM brands WHERE name = ?", name)
        return BrandSettings.model_validate_json(row["setup"]) if row else None

    def _apply_slack(self, slack: SlackSetup) -> None:
        self._set("slack", slack.model_dump_json(exclude={"users", "channels"}))
        for user in slack.users:
            self._put("slack_users", "id", user.id, user.model_dump_json())
        for channel in slack.channels:
            self._put("slack_channels", "id", channel.id, channel.model_dump_json())

    def _apply_brand(self, brand: Brand) -> None:
        self._put("brands", "name", brand.name, brand.model_dump_json(exclude={"customers", "orders"}))
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

    def _put(self, table: str, key: str, name: str, setup: str) -> None:
        position = self._database.next_number(f"position:{table}", 1)
        self._database.run(
            f"INSERT INTO {table} ({key}, position, setup) VALUES (?, ?, ?)"  # noqa: S608 - names from the callers
            f" ON CONFLICT ({key}) DO UPDATE SET setup = excluded.setup",
            name,
            position,
            setup,
        )
