"""Ask people, in cards that show placeholders as words, and keep what they answered."""

from collections.abc import Mapping

from pydantic import AwareDatetime
from temporalio import activity

from activities.cards import approval_card, closed_card, reminder_card
from activities.intake import EXTERNAL_TICKET_ID
from domain.action import ProposedAction, Refund
from domain.approval import ApprovalRequest, ApprovalStatus, Vote
from domain.card import Card
from domain.conversation import Conversation
from domain.decision import PolicyDecision
from domain.model import ApprovalId, ArtifactRef, Code, Digest, Model, digest_of
from domain.ports import Approvals, ArtifactKind, Artifacts, Tickets, Vault
from domain.ticket import Stage, TicketRef

SHOWN_OF_AN_ORDER = 3


class ComposeCardInput(Model):
    """What an approver must see."""

    ticket: TicketRef
    approval_id: ApprovalId
    proposed: ProposedAction
    decision: PolicyDecision
    conversation: ArtifactRef
    text: ArtifactRef | None = None  # the reply or note that is sent when they say yes
    revision: int | None = None  # of the draft, once it was changed


class ComposedCard(Model):
    """The card, ready to be posted."""

    card: ArtifactRef
    owner_epoch: int | None = None  # when a question was closed: who owned the ticket by then
    input_digest: Digest


class OpenInput(Model):
    """The question, and until when it may be answered."""

    request: ApprovalRequest
    expires_at: AwareDatetime


class RecordVoteInput(Model):
    """A vote the workflow has taken."""

    ticket: TicketRef
    vote: Vote


class CloseInput(Model):
    """How the question ended; `reason` is the rejecter's."""

    request: ApprovalRequest
    status: ApprovalStatus
    votes: tuple[Vote, ...] = ()
    reason: ArtifactRef | None = None


class RemindInput(Model):
    """A question that nobody has answered, and who may answer it by now."""

    request: ApprovalRequest
    groups: tuple[Code, ...]
    due: AwareDatetime | None = None  # None: it waits for ever


class Recorded(Model):
    """It is written."""

    input_digest: Digest


class ApprovalActivities:
    """Every write names its row and every card its content, so repeating is safe."""

    def __init__(self, *, approvals: Approvals, artifacts: Artifacts, vault: Vault, tickets: Tickets) -> None:
        self._approvals = approvals
        self._artifacts = artifacts
        self._vault = vault
        self._tickets = tickets

    @activity.defn
    async def compose_card(self, input: ComposeCardInput) -> ComposedCard:
        """Draws the question from references; what is shown is kept with the approval."""
        ticket = input.ticket
        content = await self._artifacts.get(ticket, input.conversation)
        latest = Conversation.model_validate_json(content).latest_from_customer
        text = (await self._artifacts.get(ticket, input.text)).decode() if input.text else ""
        values = await self._vault.values(ticket)
        card = approval_card(
            id_=input.approval_id,
            tenant=str(ticket.tenant_id),
            proposed=input.proposed,
            decision=input.decision,
            request=latest.body if latest else "",
            reply=text,
            order=_order(values, input.proposed),
            number=values.get(EXTERNAL_TICKET_ID, ""),
            revision=input.revision or 1,
        )
        return ComposedCard(card=await self._keep(ticket, card), input_digest=digest_of(input))

    @activity.defn
    async def open(self, input: OpenInput) -> Recorded:
        """Keeps the question before anybody can see it. One that has ended before is not asked again."""
        await self._approvals.request(input.request, input.expires_at)
        await self._tickets.set_stage(input.request.ticket, Stage.WAITING_FOR_APPROVAL)
        return Recorded(input_digest=digest_of(input))

    @activity.defn
    async def record_vote(self, input: RecordVoteInput) -> Recorded:
        """Keeps a vote that does not decide by itself."""
        await self._approvals.record_vote(input.vote, input.ticket)
        return Recorded(input_digest=digest_of(input))

    @activity.defn
    async def close(self, input: CloseInput) -> ComposedCard:
        """Keeps the votes, seals an approved question, draws the card without its buttons."""
        request = input.request
        for vote in input.votes:
            await self._approvals.record_vote(vote, request.ticket)
        await self._approvals.close(request.ticket, request.approval_id, input.status)
        asked = Card.model_validate_json(await self._artifacts.get(request.ticket, request.card))
        reason = (await self._artifacts.get(request.ticket, input.reason)).decode() if input.reason else ""
        card = closed_card(asked, input.status, reason)
        _, epoch = await self._tickets.owner(request.ticket)
        return ComposedCard(
            card=await self._keep(request.ticket, card), owner_epoch=epoch, input_digest=digest_of(input)
        )

    @activity.defn
    async def remind(self, input: RemindInput) -> ComposedCard:
        """Draws the line that says that the question still waits."""
        request = input.request
        asked = Card.model_validate_json(await self._artifacts.get(request.ticket, request.card))
        card = reminder_card(asked, input.groups, input.due)
        return ComposedCard(card=await self._keep(request.ticket, card), input_digest=digest_of(input))

    async def _keep(self, ticket: TicketRef, card: Card) -> ArtifactRef:
        return await self._artifacts.put(ticket, ArtifactKind.CARD, card.model_dump_json().encode())


def _order(values: Mapping[str, str], proposed: ProposedAction) -> str:
    """Enough of the order number to recognise it, not enough to use it."""
    if not isinstance(proposed.action, Refund):
        return ""
    return f"ending …{values.get(proposed.action.order, '')[-SHOWN_OF_AN_ORDER:]}"
