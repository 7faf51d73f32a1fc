"""Actions that can be proposed. Each becomes an outward effect only through policy and the ledger."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from domain.fact import Money
from domain.knowledge import KnowledgeZone
from domain.model import ArtifactRef, Code, Digest, EffectKey, Model, RecordId, digest_of
from domain.ticket import TicketStatus


class ActionType(StrEnum):
    """Every kind of outward effect the first slice knows."""

    REPLY = "reply"
    PRIVATE_NOTE = "private_note"
    SET_STATUS = "set_status"
    ADD_TAGS = "add_tags"
    REFUND = "refund"
    SLACK_POST = "slack_post"
    SLACK_UPDATE = "slack_update"
    SLACK_EPHEMERAL = "slack_ephemeral"


class RiskBand(StrEnum):
    """How much harm an action can do; an action without a band is high."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Reply(Model):
    """A public answer to the customer; `text` is a `draft` artifact with placeholders."""

    type: Literal[ActionType.REPLY] = ActionType.REPLY
    text: ArtifactRef
    zones: tuple[KnowledgeZone, ...] = ()


class PrivateNote(Model):
    """A note only teammates see; `text` is a `bundle` or `draft` artifact."""

    type: Literal[ActionType.PRIVATE_NOTE] = ActionType.PRIVATE_NOTE
    text: ArtifactRef


class SetStatus(Model):
    """Moves the ticket in the helpdesk."""

    type: Literal[ActionType.SET_STATUS] = ActionType.SET_STATUS
    status: TicketStatus


class AddTags(Model):
    """Adds tags; existing ones stay."""

    type: Literal[ActionType.ADD_TAGS] = ActionType.ADD_TAGS
    tags: tuple[Code, ...]


class Refund(Model):
    """Money back to the payment of an order. Every argument comes from a fact."""

    type: Literal[ActionType.REFUND] = ActionType.REFUND
    order: RecordId
    payment: RecordId
    amount: Money
    playbook: Code


class SlackPost(Model):
    """A new message in the tenant's support channel; `card` is a `card` artifact."""

    type: Literal[ActionType.SLACK_POST] = ActionType.SLACK_POST
    card: ArtifactRef
    thread_of: EffectKey | None = None  # the post whose thread it goes into


class SlackUpdate(Model):
    """Replaces a message that an earlier `slack_post` effect made."""

    type: Literal[ActionType.SLACK_UPDATE] = ActionType.SLACK_UPDATE
    card: ArtifactRef
    posted_by: EffectKey


class SlackEphemeral(Model):
    """A word to one person in the channel, such as why a click was refused."""

    type: Literal[ActionType.SLACK_EPHEMERAL] = ActionType.SLACK_EPHEMERAL
    card: ArtifactRef
    principal: RecordId


Action = Annotated[
    Reply | PrivateNote | SetStatus | AddTags | Refund | SlackPost | SlackUpdate | SlackEphemeral,
    Field(discriminator="type"),
]

RISK_BANDS: dict[ActionType, RiskBand] = {
    ActionType.REPLY: RiskBand.LOW,
    ActionType.PRIVATE_NOTE: RiskBand.LOW,
    ActionType.SET_STATUS: RiskBand.MEDIUM,
    ActionType.ADD_TAGS: RiskBand.MEDIUM,
    ActionType.REFUND: RiskBand.HIGH,
    ActionType.SLACK_POST: RiskBand.LOW,
    ActionType.SLACK_UPDATE: RiskBand.LOW,
    ActionType.SLACK_EPHEMERAL: RiskBand.LOW,
}


def risk_band(action: Action) -> RiskBand:
    """The declared band; high where none is declared."""
    return RISK_BANDS.get(action.type, RiskBand.HIGH)


class ProposedAction(Model):
    """One action of a turn's plan; `ordinal` tells two of the same type and target apart."""

    ordinal: int = Field(ge=0)
    action: Action

    @property
    def digest(self) -> Digest:
        """What decisions, approvals and effects of this action are bound to."""
        return digest_of(self)
