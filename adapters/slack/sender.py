"""Lets cards out to Slack. A message's metadata carries the effect key, so that it can be found again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta

from adapters.http import SETTLE_TIME, Clock, utc_now
from adapters.slack.cards import blocks_of, fallback_of
from adapters.slack.client import SlackAnswer, SlackApi, SlackMessage
from domain.action import ActionType, SlackEphemeral, SlackUpdate
from domain.card import Card
from domain.effect import Receipt, SendOrder
from domain.errors import DeliveryRefused, DeliveryUncertain
from domain.ports import Sender

METADATA_TYPE = "countersign_effect"
PAGE = "200"
PAGES = 5  # of history; who posts more than this between a claim and its repetition is told "unknown"
NO_SUCH_MESSAGE = 404


@dataclass(frozen=True)
class EffectMark:
    """Our effect keys in a message's metadata; an updated message keeps the key of its post."""

    effect: str
    posted_by: str


def slack_senders(api: SlackApi, clock: Clock = utc_now) -> tuple[Sender, ...]:
    """One sender per kind of message, because each is repeated in its own way."""
    return (SlackPostSender(api, clock), SlackUpdateSender(api, clock), SlackEphemeralSender(api, clock))


class SlackPostSender:
    """The `Sender` of new messages. Slack has no idempotency key, so what went out is found by metadata.

    With an earlier receipt the message becomes a reply in that message's thread.
    """

    action_types = frozenset({ActionType.SLACK_POST})
    idempotent = False
    settle_time: timedelta = SETTLE_TIME

    def __init__(self, api: SlackApi, clock: Clock = utc_now) -> None:
        self._api = api
        self._clock = clock

    async def send(self, order: SendOrder) -> Receipt:
        """Posts into the tenant's support channel."""
        body = _message(order, EffectMark(effect=order.key, posted_by=order.key))
        if order.earlier is None:
            channel = (await self._api.installation(order.ticket.tenant_id)).channel_id
        else:
            channel, body["thread_ts"] = place_of(order.earlier)
            body["reply_broadcast"] = True  # a thread alone would remind only those who know it already
        answer = await self._api.write(
            order.ticket.tenant_id, "chat.postMessage", {**body, "channel": channel}
        )
        return _receipt(channel, answer, self._clock)

    async def find(self, order: SendOrder) -> Receipt | None:
        """Reads the channel or the thread back, newest first.

        Raises `DeliveryUncertain` where the history is longer than we read.
        """
        if order.earlier is None:
            channel = (await self._api.installation(order.ticket.tenant_id)).channel_id
            method, query = "conversations.history", {"channel": channel}
        else:
            channel, thread_ts = place_of(order.earlier)
            method, query = "conversations.replies", {"channel": channel, "ts": thread_ts}
        message = await self._search(order, method, query)
        if message is None:
            return None
        return Receipt(external_id=f"{channel}:{message.ts}", received_at=self._clock())

    async def _search(self, order: SendOrder, method: str, query: dict[str, str]) -> SlackMessage | None:
        query = {**query, "include_all_metadata": "true", "limit": PAGE}
        for _ in range(PAGES):
            answer = await self._api.read(order.ticket.tenant_id, method, query)
            for message in answer.messages:
                if order.key in _mark(message).values():
                    return message
            if not answer.response_metadata.next_cursor:
                return None
            query["cursor"] = answer.response_metadata.next_cursor
        raise DeliveryUncertain


class SlackUpdateSender:
    """The `Sender` of updates. Repeating is safe: the same card replaces itself."""

    action_types = frozenset({ActionType.SLACK_UPDATE})
    idempotent = True
    settle_time: timedelta = SETTLE_TIME

    def __init__(self, api: SlackApi, clock: Clock = utc_now) -> None:
        self._api = api
        self._clock = clock

    async def send(self, order: SendOrder) -> Receipt:
        """Replaces the message that `order.earlier` is the receipt of."""
        channel, ts = place_of(order.earlier)
        posted_by = SlackUpdate.model_validate(order.action).posted_by
        body = _message(order, EffectMark(effect=order.key, posted_by=posted_by))
        answer = await self._api.write(
            order.ticket.tenant_id, "chat.update", {**body, "channel": channel, "ts": ts}
        )
        return _receipt(channel, answer, self._clock)

    async def find(self, order: SendOrder) -> Receipt | None:
        """Whether the message carries this update's key by now."""
        channel, ts = place_of(order.earlier)
        query = {"channel": channel, "oldest": ts, "latest": ts, "inclusive": "true", "limit": "1"}
        query["include_all_metadata"] = "true"
        answer = await self._api.read(order.ticket.tenant_id, "conversations.history", query)
        updated = any(m.ts == ts and _mark(m).get("effect") == order.key for m in answer.messages)
        return Receipt(external_id=f"{channel}:{ts}", received_at=self._clock()) if updated else None


class SlackEphemeralSender:
    """The `Sender` of lines to one person.

    Slack never shows them again, so they cannot be found. They count as idempotent because the same line
    twice tells the same person the same thing and changes nothing, while none leaves a click unanswered.
    """

    action_types = frozenset({ActionType.SLACK_EPHEMERAL})
    idempotent = True
    settle_time: timedelta = SETTLE_TIME

    def __init__(self, api: SlackApi, clock: Clock = utc_now) -> None:
        self._api = api
        self._clock = clock

    async def send(self, order: SendOrder) -> Receipt:
        """Shows the card to the principal, in the channel."""
        channel = (await self._api.installation(order.ticket.tenant_id)).channel_id
        user = order.record_ids[SlackEphemeral.model_validate(order.action).principal]
        card = Card.model_validate_json(order.text)
        body = {"channel": channel, "user": user, "text": fallback_of(card), "blocks": blocks_of(card)}
        answer = await self._api.write(order.ticket.tenant_id, "chat.postEphemeral", body)
        return _receipt(channel, answer, self._clock)

    async def find(self, order: SendOrder) -> Receipt | None:
        """Never found: see the class."""
        del order
        return None


def place_of(receipt: Receipt | None) -> tuple[str, str]:
    """Channel and ts of a message; without one there is nothing to update or to answer."""
    channel, colon, ts = (receipt.external_id if receipt else "").partition(":")
    if not colon:
        raise DeliveryRefused(NO_SUCH_MESSAGE)
    return channel, ts


def _message(order: SendOrder, mark: EffectMark) -> dict[str, object]:
    card = Card.model_validate_json(order.text)
    return {
        "text": fallback_of(card),
        "blocks": blocks_of(card),
        "metadata": {"event_type": METADATA_TYPE, "event_payload": asdict(mark)},
        "unfurl_links": False,
        "unfurl_media": False,
        "parse": "none",
        "link_names": False,
    }


def _mark(message: SlackMessage) -> Mapping[str, object]:
    metadata = message.metadata
    return metadata.event_payload if metadata and metadata.event_type == METADATA_TYPE else {}


def _receipt(channel: str, answer: SlackAnswer, clock: Clock) -> Receipt:
    ts = answer.ts or answer.message_ts
    return Receipt(external_id=f"{answer.channel or channel}:{ts}", received_at=clock())
