"""Fetch a ticket as the helpdesk has it now, and take the personal data out of it."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import AwareDatetime, Field
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.clock import Clock, wall_clock
from domain.conversation import Conversation, Requester, TextModel
from domain.errors import TicketNotFound
from domain.mail import NoTurn, is_looping, no_turn
from domain.model import ArtifactRef, Digest, MessageKey, Model, digest_of
from domain.placeholder import PLACEHOLDER, PlaceholderKind
from domain.ports import (
    ArtifactKind,
    Artifacts,
    Deliveries,
    Delivery,
    Helpdesk,
    Keys,
    Redacted,
    Redactor,
    Tenants,
    Tickets,
    Vault,
)
from domain.ticket import ClosingRecord, TenantSettings, TicketRef

# Vault entries that are no placeholders: what a step must know of the outside to act there.
EXTERNAL_TICKET_ID = "ticket.external_id"
SOURCE = "ticket.source"
REQUESTER_EMAIL = "requester.email"

RAW_TTL = timedelta(days=7)
# Some helpdesks call before they commit. A ticket unknown for longer than this is not there.
COMMIT_GRACE = timedelta(minutes=1)


class FetchInput(Model):
    """Which ticket to read."""

    ticket: TicketRef


class Fetched(Model):
    """What a wake-up found. No `message` means that no customer waits for an answer."""

    settings: TenantSettings
    last: ClosingRecord  # what earlier runs and turns left
    message: MessageKey | None = None
    raw: ArtifactRef | None = None
    no_turn: NoTurn | None = None  # why there is no message
    asked_at: AwareDatetime | None = None  # when the customer wrote it
    looping: bool = False  # two systems seem to answer each other
    deliveries: int = Field(ge=0)
    input_digest: Digest


class RedactInput(Model):
    """Which raw conversation to redact."""

    ticket: TicketRef
    raw: ArtifactRef


class SpanCount(Model):
    """How many spans of one kind were taken out."""

    kind: PlaceholderKind
    spans: int


class RedactedConversation(Model):
    """Where the redacted conversation is and what was taken out by which recognisers."""

    conversation: ArtifactRef
    counts: tuple[SpanCount, ...] = ()
    recognizers: Digest
    input_digest: Digest


class Place(TextModel):
    """Where the ticket is in the outside world. Memory and vault only."""

    external_id: str
    source: str


class IntakeActivities:
    """Both steps are safe to repeat: rows and artifacts are named by content, reading changes nothing."""

    def __init__(  # noqa: PLR0913 - a step's ports
        self,
        *,
        tenants: Tenants,
        deliveries: Deliveries,
        tickets: Tickets,
        helpdesk: Helpdesk,
        keys: Keys,
        artifacts: Artifacts,
        vault: Vault,
        redactor: Redactor,
        clock: Clock = wall_clock,
    ) -> None:
        self._tenants = tenants
        self._deliveries = deliveries
        self._tickets = tickets
        self._helpdesk = helpdesk
        self._keys = keys
        self._artifacts = artifacts
        self._vault = vault
        self._redactor = redactor
        self._clock = clock

    @activity.defn
    async def fetch(self, input: FetchInput) -> Fetched:
        """Reads the ticket and consumes its deliveries, in this order.

        Whether a customer waits is answered from the helpdesk and the answered messages, never from the
        deliveries: a run that died after consuming them is made good by the next one.
        """
        ticket = input.ticket
        deliveries = await self._deliveries.unconsumed(ticket)
        place = await self._place(ticket, deliveries)
        configuration = await self._tenants.configuration(ticket.tenant_id)
        last = await self._tickets.open(ticket, place.external_id, place.source)
        conversation = await self._read(ticket, place, deliveries)
        message, why_not = await self._unanswered(ticket, conversation)
        learns = why_not is NoTurn.ANSWERED_BY_TEAMMATE and last.turns > 0
        raw = await self._keep_raw(ticket, conversation) if message or learns else None
        await self._deliveries.consume(ticket, [delivery.id for delivery in deliveries])
        settings, latest = configuration.settings, conversation.latest_from_customer
        return Fetched(
            settings=settings,
            last=last,
            message=message,
            raw=raw,
            no_turn=why_not,
            asked_at=latest.written_at if latest and message else None,
            looping=is_looping(conversation, self._clock(), settings.max_replies_per_hour),
            deliveries=len(deliveries),
            input_digest=digest_of(input),
        )

    @activity.defn
    async def redact(self, input: RedactInput) -> RedactedConversation:
        """Puts placeholders where personal data was and keeps the values in the vault."""
        content = await self._artifacts.get(input.ticket, input.raw)
        raw = Conversation.model_validate_json(content)
        known = placeholders_of(await self._vault.values(input.ticket))
        redacted = await self._redactor.redact(raw, known)
        await self._vault.keep(input.ticket, _worth_keeping(raw, redacted))
        safe = _without_plain_requester(redacted.conversation)
        reference = await self._artifacts.put(
            input.ticket, ArtifactKind.CONVERSATION, safe.model_dump_json().encode()
        )
        return RedactedConversation(
            conversation=reference,
            counts=_counts(redacted),
            recognizers=redacted.recognizers,
            input_digest=digest_of(input),
        )

    async def _place(self, ticket: TicketRef, deliveries: Sequence[Delivery]) -> Place:
        """From the newest delivery; from the vault when an earlier attempt consumed them all."""
        if not deliveries:
            values = await self._vault.values(ticket)
            if EXTERNAL_TICKET_ID not in values:
                raise ApplicationError(str(TicketNotFound()), type="TicketNotFound", non_retryable=True)
            return Place(external_id=values[EXTERNAL_TICKET_ID], source=values[SOURCE])
        newest = deliveries[-1]
        place = Place(external_id=newest.external_ticket_id, source=newest.source)
        await self._vault.keep(ticket, {EXTERNAL_TICKET_ID: place.external_id, SOURCE: place.source})
        return place

    async def _read(self, ticket: TicketRef, place: Place, deliveries: Sequence[Delivery]) -> Conversation:
        try:
            return await self._helpdesk.read(ticket.tenant_id, place.external_id)
        except TicketNotFound as error:
            told_at = max((delivery.received_at for delivery in deliveries), default=None)
            if told_at is None or self._clock() - told_at < COMMIT_GRACE:
                raise
            raise ApplicationError(str(error), type="TicketNotFound", non_retryable=True) from error

    async def _unanswered(
        self, ticket: TicketRef, conversation: Conversation
    ) -> tuple[MessageKey | None, NoTurn | None]:
        """The customer's newest message, or why nobody waits for an answer to it."""
        latest, why_not = conversation.latest_from_customer, no_turn(conversation)
        if why_not is not None or latest is None:
            return None, why_not
        key = await self._message_key(ticket, latest.external_id)
        if key not in await self._tickets.seen_messages(ticket):
            return key, None
        newest = conversation.messages[-1]
        return None, NoTurn.AUTOMATIC_MAIL if newest.automatic else NoTurn.HAD_ITS_TURN

    async def _message_key(self, ticket: TicketRef, external_id: str) -> MessageKey:
        key = await self._keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
        return "msg_" + hmac.new(key.secret, external_id.encode(), hashlib.sha256).hexdigest()[:32]

    async def _keep_raw(self, ticket: TicketRef, conversation: Conversation) -> ArtifactRef:
        content = conversation.model_dump_json().encode()
        return await self._artifacts.put(ticket, ArtifactKind.RAW, content, ttl=RAW_TTL)


def placeholders_of(values: Mapping[str, str]) -> dict[str, str]:
    """The entries of a vault that stand for personal data in a text."""
    return {token: value for token, value in values.items() if PLACEHOLDER.fullmatch(token)}


def _worth_keeping(raw: Conversation, redacted: Redacted) -> dict[str, str]:
    email = raw.requester.email
    return {**redacted.values, **({REQUESTER_EMAIL: email} if email else {})}


def _without_plain_requester(conversation: Conversation) -> Conversation:
    """What the redactor left in clear in the requester's record does not go on."""
    asked = conversation.requester
    fields = {name: getattr(asked, name) for name in ("name", "email", "phone", "address")}
    safe = {name: value for name, value in fields.items() if value and PLACEHOLDER.fullmatch(value)}
    return conversation.model_copy(update={"requester": Requester(external_id="", **safe)})


def _counts(redacted: Redacted) -> tuple[SpanCount, ...]:
    counted = sorted(redacted.counts.items())
    return tuple(SpanCount(kind=PlaceholderKind(kind), spans=spans) for kind, spans in counted)
