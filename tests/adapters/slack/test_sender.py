from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from adapters.slack.client import SlackApi, SlackInstallation
from adapters.slack.sender import (
    SlackEphemeralSender,
    SlackPostSender,
    SlackUpdateSender,
    place_of,
    slack_senders,
)
from domain.action import Action, ActionType, SlackEphemeral, SlackPost, SlackUpdate
from domain.card import Card, CardKind
from domain.effect import Receipt, SendOrder
from domain.errors import DeliveryRefused, DeliveryUncertain, ProviderUnavailable
from tests.adapters.emulated import (
    BOT_TOKEN,
    CHANNEL,
    KEY,
    OTHER_KEY,
    PRINCIPAL_RECORD,
    TEAMMATE,
    Emulated,
    installation_of,
    order_of,
)

CARD_REF = "card_" + "0" * 64
POST = SlackPost(card=CARD_REF)
UPDATE = SlackUpdate(card=CARD_REF, posted_by=KEY)
NOTICE = SlackEphemeral(card=CARD_REF, principal=PRINCIPAL_RECORD)


def card(title: str = "Please look", kind: CardKind = CardKind.HANDOFF) -> str:
    return Card(kind=kind, title=title, body="A ticket waits").model_dump_json()


def order(
    action: Action, key: str = KEY, earlier: Receipt | None = None, title: str = "Please look"
) -> SendOrder:
    return order_of(action, key=key, earlier=earlier, text=card(title))


def messages(emulated: Emulated) -> list[dict[str, Any]]:
    return list(emulated.state()["slack"]["messages"])


async def test_post_lands_in_the_channel_with_its_effect_key(slack_api: SlackApi, emulated: Emulated) -> None:
    receipt = await SlackPostSender(slack_api).send(order(POST))

    [message] = messages(emulated)
    assert receipt.external_id == f"{CHANNEL}:{message['ts']}"
    assert message["metadata"]["event_payload"]["effect"] == KEY
    assert message["text"] == "Please look: A ticket waits"


async def test_post_behind_a_lost_answer_is_found(slack_api: SlackApi, emulated: Emulated) -> None:
    sender = SlackPostSender(slack_api)
    emulated.plant("slack", "error_after")

    with pytest.raises(DeliveryUncertain):
        await sender.send(order(POST))

    found = await sender.find(order(POST))
    assert found is not None
    assert found.external_id == f"{CHANNEL}:{messages(emulated)[0]['ts']}"


@pytest.mark.parametrize("kind", ["error_before", "unavailable"])
async def test_post_that_never_arrived_is_not_found(
    slack_api: SlackApi, emulated: Emulated, kind: str
) -> None:
    sender = SlackPostSender(slack_api)
    await sender.send(order(POST, OTHER_KEY))
    emulated.plant("slack", kind)

    with pytest.raises(DeliveryUncertain):
        await sender.send(order(POST))

    assert await sender.find(order(POST)) is None


async def test_post_with_an_earlier_one_answers_in_its_thread(
    slack_api: SlackApi, emulated: Emulated
) -> None:
    sender = SlackPostSender(slack_api)
    parent = await sender.send(order(POST, OTHER_KEY))

    receipt = await sender.send(order(POST, earlier=parent))

    assert messages(emulated)[-1]["thread_ts"] == place_of(parent)[1]
    assert await sender.find(order(POST, earlier=parent)) is not None
    assert receipt.external_id != parent.external_id


async def test_post_is_found_on_a_later_page(
    slack_api: SlackApi, emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.sender.PAGE", "2")
    sender = SlackPostSender(slack_api)
    await sender.send(order(POST))
    for number in range(5):
        await sender.send(order(POST, f"eff_{number:040d}"))

    assert await sender.find(order(POST)) is not None


async def test_history_longer_than_we_read_is_uncertain(
    slack_api: SlackApi, emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.sender.PAGE", "1")
    monkeypatch.setattr("adapters.slack.sender.PAGES", 2)
    sender = SlackPostSender(slack_api)
    for number in range(4):
        await sender.send(order(POST, f"eff_{number:040d}"))

    with pytest.raises(DeliveryUncertain):
        await sender.find(order(POST))


async def test_update_replaces_the_earlier_message(slack_api: SlackApi, emulated: Emulated) -> None:
    posted = await SlackPostSender(slack_api).send(order(POST))
    update = order(UPDATE, OTHER_KEY, posted, "Approved by Nora")

    for _ in range(2):
        receipt = await SlackUpdateSender(slack_api).send(update)

    [message] = messages(emulated)
    assert receipt.external_id == posted.external_id
    assert message["text"].startswith("Approved by Nora")


async def test_updated_message_is_found_by_both_keys(slack_api: SlackApi, emulated: Emulated) -> None:
    posted = await SlackPostSender(slack_api).send(order(POST))
    update = order(UPDATE, OTHER_KEY, posted)
    sender = SlackUpdateSender(slack_api)
    assert await sender.find(update) is None

    await sender.send(update)

    assert await sender.find(update) is not None
    assert await SlackPostSender(slack_api).find(order(POST)) is not None


async def test_update_of_nothing_is_refused(slack_api: SlackApi, emulated: Emulated) -> None:
    nowhere = Receipt(external_id=f"{CHANNEL}:1.000001", received_at="2026-11-20T12:00:00Z")

    for earlier in (None, nowhere):
        with pytest.raises(DeliveryRefused) as refused:
            await SlackUpdateSender(slack_api).send(order(UPDATE, OTHER_KEY, earlier))
        assert refused.value.status == 404


async def test_notice_is_seen_by_one_person(slack_api: SlackApi, emulated: Emulated) -> None:
    await SlackEphemeralSender(slack_api).send(order(NOTICE))

    [message] = messages(emulated)
    assert message["ephemeral_to"] == TEAMMATE


async def test_rate_limit_is_not_slept_through(slack_api: SlackApi, emulated: Emulated) -> None:
    emulated.plant("slack", "ratelimited", seconds=30)

    with pytest.raises(ProviderUnavailable) as unavailable:
        await SlackPostSender(slack_api).send(order(POST))

    assert unavailable.value.retry_after_s == 30
    assert messages(emulated) == []


async def test_post_whose_answer_never_comes_is_uncertain_and_found(
    slack_api: SlackApi, emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.client.TIMEOUT", aiohttp.ClientTimeout(total=0.3))
    sender = SlackPostSender(slack_api)
    emulated.plant("slack", "timeout")

    with pytest.raises(DeliveryUncertain):
        await sender.send(order(POST))

    assert await sender.find(order(POST)) is not None


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "application/json"])
async def test_answer_that_is_not_slacks_is_uncertain(status: int, content_type: str) -> None:
    """A proxy in between answers; whether Slack saw the post is not known."""

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text="<html>Bad gateway</html>", content_type=content_type)

    async with RawTestServer(answer) as proxy:
        api = SlackApi(installation_of, f"{proxy.make_url('/')}api/")

        try:
            with pytest.raises(DeliveryUncertain):
                await SlackPostSender(api).send(order(POST))
        finally:
            await api.close()


async def test_closed_port_means_nothing_was_posted() -> None:
    api = SlackApi(installation_of, "http://127.0.0.1:1/api/")

    with pytest.raises(ProviderUnavailable):
        await SlackPostSender(api).send(order(POST))
    await api.close()


@pytest.mark.parametrize(
    ("installation", "status"),
    [
        (SlackInstallation("T0LAMPS", CHANNEL, "xoxb-wrong"), 401),
        (SlackInstallation("T0LAMPS", "C0NOWHERE", BOT_TOKEN), 404),
    ],
    ids=["wrong token", "unknown channel"],
)
async def test_refusal_is_final_and_has_a_status(
    emulated: Emulated, installation: SlackInstallation, status: int
) -> None:
    async def wrong(tenant_id: object) -> SlackInstallation:
        return installation

    api = SlackApi(wrong, f"{emulated.base_url}/slack/api/")

    with pytest.raises(DeliveryRefused) as refused:
        await SlackPostSender(api).send(order(POST))
    await api.close()

    assert refused.value.status == status
    assert refused.value.__cause__ is None


def test_every_slack_action_has_one_sender(slack_api: SlackApi) -> None:
    taken = [type_ for sender in slack_senders(slack_api) for type_ in sender.action_types]

    assert sorted(taken) == sorted(type_ for type_ in ActionType if type_.startswith("slack_"))


def test_token_is_not_shown() -> None:
    assert BOT_TOKEN not in repr(SlackInstallation("T0LAMPS", CHANNEL, BOT_TOKEN))
