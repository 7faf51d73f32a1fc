"""Prepare a handoff: the ticket becomes the teammates', with the whole story."""

from pydantic import Field
from temporalio import activity

from activities.bundle import RENDERER_VERSION, bundle_text
from activities.cards import handoff_card
from activities.intake import EXTERNAL_TICKET_ID
from domain.conversation import Conversation
from domain.handoff import HandoffFacts, HandoffReason
from domain.model import ArtifactRef, Digest, Model, Version, digest_of
from domain.ports import ArtifactKind, Artifacts, Tickets, Vault
from domain.ticket import TicketRef


class PreparedHandoff(Model):
    """The story as a note and as a card, and the epoch in which they may be sent."""

    bundle: ArtifactRef
    card: ArtifactRef
    owner_epoch: int = Field(ge=0)
    renderer_version: Version
    input_digest: Digest


class HandoffActivities:
    """Artifacts are named by content. A repeated handover may raise the epoch again, which withdraws
    nothing but what was decided before it."""

    def __init__(self, *, tickets: Tickets, artifacts: Artifacts, vault: Vault) -> None:
        self._tickets = tickets
        self._artifacts = artifacts
        self._vault = vault

    @activity.defn
    async def prepare(self, input: HandoffFacts) -> PreparedHandoff:
        """Ownership first: from here on no reply decided earlier can leave."""
        epoch = await self._epoch(input)
        request = await self._request(input)
        note = bundle_text(input, request, await self._rejection(input))
        number = (await self._vault.values(input.ticket)).get(EXTERNAL_TICKET_ID, "")
        card = handoff_card(input, request, number).model_dump_json()
        return PreparedHandoff(
            bundle=await self._artifacts.put(input.ticket, ArtifactKind.BUNDLE, note.encode()),
            card=await self._artifacts.put(input.ticket, ArtifactKind.CARD, card.encode()),
            owner_epoch=epoch,
            renderer_version=RENDERER_VERSION,
            input_digest=digest_of(input),
        )

    async def _epoch(self, input: HandoffFacts) -> int:
        """A teammate who took a ticket over may have handed it back by now: that is left as it is."""
        if input.reason is HandoffReason.TAKEN_OVER:
            return (await self._tickets.owner(input.ticket))[1]
        return await self._tickets.hand_over(input.ticket, input.reason)

    async def _request(self, input: HandoffFacts) -> str:
        """The customer's latest message, redacted; nothing where redaction could not be trusted."""
        if input.conversation is None:
            return ""
        content = await self._artifacts.get(input.ticket, input.conversation)
        latest = Conversation.model_validate_json(content).latest_from_customer
        return latest.body if latest else ""

    async def _rejection(self, input: HandoffFacts) -> str:
        if input.approval_reason is None:
            return ""
        return await self._text(input.ticket, input.approval_reason)

    async def _text(self, ticket: TicketRef, reference: ArtifactRef) -> str:
        return (await self._artifacts.get(ticket, reference)).decode()
