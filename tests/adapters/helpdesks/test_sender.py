import httpx
import pytest

from adapters.helpdesks.sender import HelpdeskSender
from adapters.http import Endpoint, RestApi
from domain.action import Action, AddTags, PrivateNote, Reply, SetStatus
from domain.errors import DeliveryRefused, DeliveryUncertain, ProviderUnavailable
from domain.ticket import TicketStatus
from tests.adapters.emulated import OTHER_KEY, Emulated, order_of, texts

DRAFT = "draft_" + "0" * 64
REPLY = Reply(text=DRAFT)
STATUS = SetStatus(status=TicketStatus.SOLVED)
TAGS = AddTags(tags=("answered", "lamp"))
EVERY_ACTION = [REPLY, PrivateNote(text=DRAFT), STATUS, TAGS]


async def test_same_key_twice_writes_one_reply(helpdesk_api: RestApi, emulated: Emulated) -> None:
    sender, order = (
        HelpdeskSender(helpdesk_api),
        order_of(REPLY, emulated.new_ticket(), text="It left today."),
    )

    first, second = await sender.send(order), await sender.send(order)

    assert first.external_id == second.external_id
    assert texts(emulated.state(), order.external_ticket_id) == ["Where is my lamp?", "It left today."]


async def test_note_is_not_public(helpdesk_api: RestApi, emulated: Emulated) -> None:
    order = order_of(PrivateNote(text=DRAFT), emulated.new_ticket(), text="For us only")

    await HelpdeskSender(helpdesk_api).send(order)

    messages = emulated.state()["tickets"][0]["messages"]
    assert [(message["body"], message["public"]) for message in messages][1:] == [("For us only", False)]


async def test_status_and_tags_reach_the_ticket(helpdesk_api: RestApi, emulated: Emulated) -> None:
    sender, ticket = HelpdeskSender(helpdesk_api), emulated.new_ticket()

    await sender.send(order_of(STATUS, ticket))
    await sender.send(order_of(TAGS, ticket, key=OTHER_KEY))

    seen = emulated.state()["tickets"][0]
    assert (seen["status"], sorted(seen["tags"])) == ("solved", ["answered", "lamp"])


@pytest.mark.parametrize("action", EVERY_ACTION, ids=lambda action: str(action.type))
async def test_what_was_done_behind_a_lost_answer_is_found(
    helpdesk_api: RestApi, emulated: Emulated, action: Action
) -> None:
    sender, order = HelpdeskSender(helpdesk_api), order_of(action, emulated.new_ticket(), text="Hello")
    emulated.plant("helpdesk", "error_after")

    with pytest.raises(DeliveryUncertain):
        await sender.send(order)

    assert await sender.find(order) is not None


@pytest.mark.parametrize("action", EVERY_ACTION, ids=lambda action: str(action.type))
async def test_what_was_not_done_is_not_found(
    helpdesk_api: RestApi, emulated: Emulated, action: Action
) -> None:
    sender, order = HelpdeskSender(helpdesk_api), order_of(action, emulated.new_ticket(), text="Hello")
    emulated.plant("helpdesk", "error_before")

    with pytest.raises(DeliveryUncertain):
        await sender.send(order)

    assert await sender.find(order) is None


async def test_reply_whose_answer_never_comes_is_uncertain_and_found(emulated: Emulated) -> None:
    async def endpoint_of(tenant_id: object) -> Endpoint:
        return emulated.endpoint("helpdesk")

    async with httpx.AsyncClient(timeout=0.3) as impatient:
        sender = HelpdeskSender(RestApi(impatient, "helpdesk", endpoint_of))
        order = order_of(REPLY, emulated.new_ticket(), text="Hello")
        emulated.plant("helpdesk", "timeout")

        with pytest.raises(DeliveryUncertain):
            await sender.send(order)

        assert await sender.find(order) is not None


async def test_message_of_another_key_is_not_ours(helpdesk_api: RestApi, emulated: Emulated) -> None:
    sender, ticket = HelpdeskSender(helpdesk_api), emulated.new_ticket()
    await sender.send(order_of(REPLY, ticket, text="Hello"))

    assert await sender.find(order_of(REPLY, ticket, text="Hello", key=OTHER_KEY)) is None


async def test_key_that_the_helpdesk_has_is_uncertain_and_found(
    helpdesk_api: RestApi, emulated: Emulated
) -> None:
    """A conflict says that something left under this key, never that nothing did."""
    sender, ticket = HelpdeskSender(helpdesk_api), emulated.new_ticket()
    sent = await sender.send(order_of(REPLY, ticket, text="Hello"))
    order = order_of(REPLY, ticket, text="Goodbye")

    with pytest.raises(DeliveryUncertain):
        await sender.send(order)

    found = await sender.find(order)
    assert found is not None
    assert found.external_id == sent.external_id


async def test_vanished_ticket_refuses_and_has_nothing_to_find(helpdesk_api: RestApi) -> None:
    sender, order = HelpdeskSender(helpdesk_api), order_of(REPLY, "404404", text="Hello")

    with pytest.raises(DeliveryRefused):
        await sender.send(order)
    assert await sender.find(order) is None


async def test_rate_limit_tells_how_long_to_wait(helpdesk_api: RestApi, emulated: Emulated) -> None:
    order = order_of(REPLY, emulated.new_ticket(), text="Hello")
    emulated.plant("helpdesk", "ratelimited", seconds=7)

    with pytest.raises(ProviderUnavailable) as unavailable:
        await HelpdeskSender(helpdesk_api).send(order)

    assert unavailable.value.retry_after_s == 7
