"""What every `Sender`, `Helpdesk`, `Shop` and `Drafter` promises: the fakes and the real ones alike."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest

from adapters.drafting.extractive import ExtractiveDrafter
from adapters.helpdesks.generic import GenericHelpdesk
from adapters.helpdesks.sender import HelpdeskSender
from adapters.http import RestApi
from adapters.in_memory.minds import InMemoryDrafter
from adapters.in_memory.outside import InMemoryHelpdesk, InMemorySender, InMemoryShop
from adapters.payments import RefundSender
from adapters.shop import RestShop
from adapters.slack.client import SlackApi
from adapters.slack.sender import SlackPostSender
from domain.action import Reply, SlackPost
from domain.card import Card, CardKind
from domain.conversation import Author, Conversation, Message, Requester
from domain.effect import SendOrder
from domain.errors import TicketNotFound
from domain.fact import Money, OrderRecord, OrderStatus
from domain.knowledge import Citation, KnowledgeZone, Passage
from domain.ports import Drafter, Helpdesk, Sender, Shop, TenantConfiguration
from domain.ticket import TenantSettings
from domain.triage import Taxonomy
from tests.adapters.emulated import EMAIL, ORDER, OTHER_KEY, PAYMENT, TENANT, Emulated, order_of
from tests.adapters.test_payments import refund

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REPLY = Reply(text="draft_" + "0" * 64)
QUESTION = "Where is my lamp?"


def ticket(body: str = QUESTION) -> Conversation:
    message = Message(external_id="m1", author=Author.CUSTOMER, body=body, public=True, written_at=NOW)
    requester = Requester(external_id="r1", name="Piet Vos", email=EMAIL)
    return Conversation(
        source="generic",
        external_id="1",
        subject="Lamp",
        status="open",
        requester=requester,
        messages=(message,),
    )


@dataclass(frozen=True)
class Desk:
    """A helpdesk with one ticket of Piet's, and what writes to it."""

    helpdesk: Helpdesk
    sender: Sender
    ticket_id: str


@pytest.fixture(params=["fake", "emulated"])
def desk(request: pytest.FixtureRequest, helpdesk_api: RestApi, emulated: Emulated) -> Desk:
    if request.param == "emulated":
        helpdesk = GenericHelpdesk(helpdesk_api)
        return Desk(helpdesk, HelpdeskSender(helpdesk_api), emulated.new_ticket(QUESTION))
    fake = InMemoryHelpdesk()
    fake.tickets["1"] = ticket()
    return Desk(fake, InMemorySender(now=NOW, helpdesk=fake), "1")


async def test_helpdesk_tells_the_customer_from_ourselves(desk: Desk) -> None:
    await desk.sender.send(order_of(REPLY, desk.ticket_id, text="On its way."))

    conversation = await desk.helpdesk.read(TENANT, desk.ticket_id)

    assert [(m.author, m.body) for m in conversation.messages] == [
        (Author.CUSTOMER, QUESTION),
        (Author.AUTOMATION, "On its way."),
    ]
    assert conversation.requester.email == EMAIL


async def test_helpdesk_does_not_invent_tickets(desk: Desk) -> None:
    with pytest.raises(TicketNotFound):
        await desk.helpdesk.read(TENANT, "404404")


@pytest.fixture(params=["fake", "emulated"])
def shop(request: pytest.FixtureRequest, shop_api: RestApi) -> Shop:
    if request.param == "emulated":
        return RestShop(shop_api)
    amount = Money(minor_units=4000, currency="EUR")
    return InMemoryShop(
        OrderRecord(
            number=ORDER,
            customer_email=EMAIL,
            status=OrderStatus.DELIVERED,
            total=amount,
            refunded=Money(minor_units=0, currency="EUR"),
            payment_id=PAYMENT,
            ordered_at=datetime(2026, 11, 2, 9, tzinfo=UTC),
            delivered_at=datetime(2026, 11, 6, 12, tzinfo=UTC),
        )
    )


async def test_shop_finds_the_same_order_by_account_and_by_number(shop: Shop) -> None:
    [by_account] = await shop.orders_of(TENANT, EMAIL)

    assert by_account == await shop.order(TENANT, ORDER)
    assert by_account.payment_id == PAYMENT


async def test_shop_knows_its_accounts_only(shop: Shop) -> None:
    assert await shop.account(TENANT, EMAIL)
    assert await shop.account(TENANT, "nobody@example.com") is None
    assert list(await shop.orders_of(TENANT, "nobody@example.com")) == []
    assert await shop.order(TENANT, "LL-404") is None


@dataclass(frozen=True)
class Sending:
    """A sender and an effect that it can let out."""

    sender: Sender
    order: SendOrder


@pytest.fixture(params=["fake", "reply", "refund", "slack post"])
def sending(
    request: pytest.FixtureRequest,
    helpdesk_api: RestApi,
    payments_api: RestApi,
    slack_api: SlackApi,
    emulated: Emulated,
) -> Sending:
    card = Card(kind=CardKind.HANDOFF, title="Please look").model_dump_json()
    post = SlackPost(card="card_" + "0" * 64)
    return {
        "fake": Sending(InMemorySender(now=NOW), order_of(REPLY, text="Hello")),
        "reply": Sending(HelpdeskSender(helpdesk_api), order_of(REPLY, emulated.new_ticket(), text="Hello")),
        "refund": Sending(RefundSender(payments_api), order_of(refund(1000))),
        "slack post": Sending(SlackPostSender(slack_api), order_of(post, text=card)),
    }[request.param]


async def test_what_was_sent_is_found_and_nothing_else(sending: Sending) -> None:
    other = sending.order.model_copy(update={"key": OTHER_KEY})
    assert await sending.sender.find(sending.order) is None

    receipt = await sending.sender.send(sending.order)

    found = await sending.sender.find(sending.order)
    assert found is not None
    assert found.external_id == receipt.external_id
    assert await sending.sender.find(other) is None


async def test_repeated_key_has_the_same_receipt_where_the_sender_says_so(sending: Sending) -> None:
    """Slack has no idempotency key, says so, and is read back instead."""
    first, second = await sending.sender.send(sending.order), await sending.sender.send(sending.order)

    assert (first.external_id == second.external_id) is sending.sender.idempotent


def test_sender_declares_what_it_takes_and_how_long_a_request_can_live(sending: Sending) -> None:
    assert sending.order.action.type in sending.sender.action_types
    assert sending.sender.settle_time.total_seconds() >= 5


@pytest.fixture(params=[InMemoryDrafter, ExtractiveDrafter], ids=["fake", "extractive"])
def drafter(request: pytest.FixtureRequest) -> Drafter:
    made: Drafter = request.param()
    return made


BULBS = Passage(
    citation=Citation(passage_id=UUID(int=7), version=1, zone=KnowledgeZone.PUBLIC, score_permille=900),
    title="Changing a bulb",
    body="Turn the bulb to the left.",
)
CONFIGURATION = TenantConfiguration(
    tenant_id=TENANT, name="lamps", settings=TenantSettings(), taxonomy=Taxonomy(intents=())
)


async def test_drafter_cites_what_it_was_given(drafter: Drafter) -> None:
    drafted = await drafter.draft(ticket("How do I change a bulb?"), [BULBS], CONFIGURATION)

    assert drafted is not None
    assert drafted.citations == (BULBS.citation,)
    assert BULBS.body in drafted.body


async def test_drafter_without_passages_abstains(drafter: Drafter) -> None:
    assert await drafter.draft(ticket(), [], CONFIGURATION) is None
