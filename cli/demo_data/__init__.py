"""Two invented shops with articles, customers, orders and tickets, all in our own words."""

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints, model_validator

from cli.tenant_file import Part, SlackChannel, SlackTeam, SlackUser
from domain.approval import VoteKind
from domain.fact import Money, OrderStatus
from domain.handoff import HandoffReason
from domain.model import Code

HERE = Path(__file__).parent
TENANTS: tuple[Code, ...] = ("harbour_books", "alpine_gear")


def _money(text: object) -> object:
    """Written "24.90 EUR", held in cents."""
    if not isinstance(text, str):
        return text
    amount, _, currency = text.partition(" ")
    whole, _, cents = amount.partition(".")
    return Money(minor_units=int(whole) * 100 + int(cents), currency=currency)


Email = Annotated[str, StringConstraints(pattern=r"^[a-z.]+@example\.com$")]


class ChannelPart(Part):
    """A support channel."""

    id: SlackChannel
    name: str


class SlackTeamPart(Part):
    """The emulated workspace of a tenant."""

    team_id: SlackTeam
    team_domain: str
    channel: ChannelPart


class CustomerPart(Part):
    """An account of the shop."""

    email: Email
    name: str
    phone: str | None = None
    address: str | None = None


class OrderPart(Part):
    """An order and the payment that paid for it."""

    number: str
    customer_email: Email
    status: OrderStatus
    total: Annotated[Money, BeforeValidator(_money)]
    payment_id: str
    ordered_at: AwareDatetime
    delivered_at: AwareDatetime | None = None
    items: tuple[str, ...]


class DemoShop(Part):
    """What the emulators know of a tenant."""

    slack: SlackTeamPart
    customers: tuple[CustomerPart, ...]
    orders: tuple[OrderPart, ...]

    def customer(self, email: str) -> CustomerPart:
        """Every ticket is written by somebody the shop knows."""
        return next(customer for customer in self.customers if customer.email == email)


class Expectation(StrEnum):
    """How a ticket of the demo ends."""

    ANSWERED = "answered"
    REFUNDED = "refunded"
    REFUNDED_AFTER_APPROVAL = "refunded_after_approval"
    HANDED_OVER = "handed_over"


class DemoVote(Part):
    """What the demo answers in Slack when nobody is there to do it."""

    by: SlackUser
    kind: VoteKind
    reason: str = ""


class DemoTicket(Part):
    """A ticket and how it ends."""

    name: Code
    tenant: Code
    writer: Email = Field(alias="from")
    subject: str
    body: str
    orders: tuple[str, ...] = ()
    expect: Expectation
    reason: HandoffReason | None = None
    vote: DemoVote | None = None
    duplicate_delivery: bool = False
    own_echo: bool = False  # the helpdesk announces our own reply, which must start nothing

    @model_validator(mode="after")
    def _handover_has_a_reason(self) -> Self:
        if (self.expect is Expectation.HANDED_OVER) != (self.reason is not None):
            raise ValueError("A handed over ticket, and only that, has a reason")
        return self


class DemoTickets(Part):
    """The file of tickets."""

    tickets: tuple[DemoTicket, ...]


def tenant_file(name: Code) -> Path:
    """A template; `cli.tenant_file.read_tenant_file` fills its `${words}`."""
    return HERE / name / "tenant.yaml"


@cache
def shop_of(name: Code) -> DemoShop:
    """Customers and orders of a tenant."""
    return DemoShop.model_validate(_content(HERE / name / "shop.yaml"))


@cache
def tickets() -> tuple[DemoTicket, ...]:
    """In the order in which they are sent."""
    return DemoTickets.model_validate(_content(HERE / "tickets.yaml")).tickets


def _content(path: Path) -> object:
    content: object = yaml.safe_load(path.read_text("utf-8"))
    return content
