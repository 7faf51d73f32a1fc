"""What the emulators are told: teams, brands, tokens, customers, orders. See README.md for an example."""

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

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
    """One team with our app in it."""

    team_id: str = Field(pattern=r"^T[A-Z0-9]+$")
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
