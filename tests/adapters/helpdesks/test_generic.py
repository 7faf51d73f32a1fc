import pytest

from adapters.helpdesks.generic import GenericHelpdesk, WireMessage, author_of
from adapters.helpdesks.sender import HelpdeskSender
from adapters.http import RestApi
from domain.action import Reply
from domain.conversation import Author
from domain.errors import ProviderUnavailable, TicketNotFound
from tests.adapters.emulated import EMAIL, TENANT, Emulated, order_of

DRAFT = "draft_" + "0" * 64


async def test_ticket_is_read_with_its_requester_and_messages_in_order(
    helpdesk_api: RestApi, emulated: Emulated
) -> None:
    ticket = emulated.new_ticket("Where is my lamp?")
    emulated.add_message(ticket, "teammate", "I shall look.")

    conversation = await GenericHelpdesk(helpdesk_api).read(TENANT, ticket)

    assert [message.body for message in conversation.messages] == ["Where is my lamp?", "I shall look."]
    assert [message.author for message in conversation.messages] == [Author.CUSTOMER, Author.TEAMMATE]
    assert conversation.requester.email == EMAIL
    assert conversation.requester.phone is None


async def test_our_own_reply_is_read_back_as_automation(helpdesk_api: RestApi, emulated: Emulated) -> None:
    ticket = emulated.new_ticket()
    await HelpdeskSender(helpdesk_api).send(order_of(Reply(text=DRAFT), ticket, text="On its way."))

    conversation = await GenericHelpdesk(helpdesk_api).read(TENANT, ticket)

    assert conversation.messages[-1].author is Author.AUTOMATION
    assert conversation.latest_from_customer == conversation.messages[0]


async def test_unknown_ticket_is_not_found(helpdesk_api: RestApi) -> None:
    with pytest.raises(TicketNotFound):
        await GenericHelpdesk(helpdesk_api).read(TENANT, "404404")


async def test_id_from_a_webhook_cannot_leave_the_tickets(helpdesk_api: RestApi, emulated: Emulated) -> None:
    emulated.new_ticket()

    with pytest.raises(TicketNotFound):
        await GenericHelpdesk(helpdesk_api).read(TENANT, "../tickets?updated_since=")


@pytest.mark.parametrize("kind", ["error_before", "error_after", "unavailable", "ratelimited"])
async def test_read_of_a_sick_helpdesk_can_be_repeated(
    helpdesk_api: RestApi, emulated: Emulated, kind: str
) -> None:
    ticket = emulated.new_ticket()
    emulated.plant("helpdesk", kind)

    with pytest.raises(ProviderUnavailable):
        await GenericHelpdesk(helpdesk_api).read(TENANT, ticket)

    assert await GenericHelpdesk(helpdesk_api).read(TENANT, ticket)


def test_times_with_and_without_a_zone_can_be_put_in_order() -> None:
    without, with_one = (
        WireMessage.model_validate(
            {"id": 7, "author": "customer", "body": "", "public": True, "created_at": at}
        )
        for at in ("2026-11-02T09:00:00", "2026-11-02T11:00:00+01:00")
    )

    assert without.created_at < with_one.created_at


def test_author_nobody_knows_is_no_customer() -> None:
    message = WireMessage.model_validate(
        {"id": 7, "author": "robot", "body": "", "public": True, "created_at": "2026-11-02T09:00:00Z"}
    )

    assert author_of(message) is Author.TEAMMATE
