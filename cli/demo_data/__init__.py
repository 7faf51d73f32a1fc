"""Three invented shops with articles, customers, orders and tickets, all in our own words."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from cli.tenant_file import Part, SlackChannel, SlackTeam, SlackUser
from domain.approval import VoteKind
from domain.fact import Money, OrderStatus
from domain.handoff import HandoffReason
from domain.mail import NoTurn
from domain.model import Code
from domain.ticket import Outcome

HERE = Path(__file__).parent
TENANTS: tuple[Code, ...] = ("harbour_books", "alpine_gear", "lantern_lamps")


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
    NOT_ANSWERED = "not_answered"


class DemoVote(Part):
    """What the demo answers in Slack when nobody is there to do it."""

    by: SlackUser
    kind: VoteKind
    reason: str = ""


class FollowUp(Part):
    """What the customer writes once the ticket rests, and whether it gets an answer of its own."""

    body: str
    answered: bool


class DemoTicket(Part):
    """A ticket, what else happens to it, and how it ends."""

    name: Code
    tenant: Code
    writer: Email = Field(alias="from")
    subject: str
    body: str
    orders: tuple[str, ...] = ()
    expect: Expectation
    reason: HandoffReason | NoTurn | None = None
    outcome: Outcome | None = None
    says: str = ""  # how its story went, for the terminal
    vote: DemoVote | None = None
    take_over_by: SlackUser | None = None  # while it waits for a vote; handed back afterwards
    teammate_reply: str | None = None  # before automation looks
    second: str | None = None  # a message of which the helpdesk tells before it tells of the first
    then: tuple[FollowUp, ...] = ()
    merged_into: Code | None = None  # the name of a ticket before this one
    mail_headers: Mapping[str, str] = {}
    duplicate_delivery: bool = False
    own_echo: bool = False  # the helpdesk announces our own reply, which must start nothing

    @model_validator(mode="after")
    def _stopping_has_a_reason(self) -> Self:
        kinds = {Expectation.HANDED_OVER: HandoffReason, Expectation.NOT_ANSWERED: NoTurn}
        if type(self.reason) is not kinds.get(self.expect, type(None)):
            raise ValueError("A ticket without an answer, and only that, has a reason, and one of its kind")
        return self

    @property
    def is_refunded(self) -> bool:
        """Whether money moves."""
        return self.expect in {Expectation.REFUNDED, Expectation.REFUNDED_AFTER_APPROVAL}

    @property
    def answers(self) -> int:
        """How many the customer gets, acknowledgements not counted."""
        first = self.is_refunded or self.expect is Expectation.ANSWERED
        return first + sum(word.answered for word in self.then)

    @property
    def is_asked_about(self) -> bool:
        """Whether a question waits in Slack."""
        return self.vote is not None or self.reason is HandoffReason.APPROVAL_EXPIRED


class Acknowledging(BaseModel):
    """What the demo reads of a tenant file before its `${words}` are filled in."""

    acknowledgement: str


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
def acknowledgement_of(name: Code) -> str:
    """By these words an acknowledgement is told from an answer."""
    return Acknowledging.model_validate(_content(tenant_file(name))).acknowledgement


@cache
def tickets() -> tuple[DemoTicket, ...]:
    """In the order in which they are sent."""
    return DemoTickets.model_validate(_content(HERE / "tickets.yaml")).tickets


def _content(path: Path) -> object:
    content: object = yaml.safe_load(path.read_text("utf-8"))
    return content
