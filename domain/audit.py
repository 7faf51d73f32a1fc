"""Audit events: what an auditor reads of a turn, as one record. Ids, enums and digests; no text."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from domain.action import ActionType
from domain.decision import Verdict
from domain.effect import EffectState
from domain.model import Code, DecisionId, Digest, EffectKey, MessageKey, Model, RecordId
from domain.ticket import Outcome, Owner, Stage


class DecidedAction(Model):
    """What policy answered about one action, and by which version."""

    decision_id: DecisionId
    action: ActionType
    verdict: Verdict
    policy_version: Digest


class PerformedEffect(Model):
    """How one outward effect stands."""

    key: EffectKey
    type: ActionType
    state: EffectState


class TurnSettled(Model):
    """One turn of a ticket: who took part, what was retrieved, decided and done, and how it ended.

    The tenant is the row's own; `reason` is why it was handed over, or how it was answered.
    """

    schema_version: Literal[1] = 1
    ticket_id: UUID
    turn: int = Field(ge=0)
    message: MessageKey
    agent: Code = "support_agent"
    owner: Owner
    stage: Stage
    outcome: Outcome | None = None
    reason: Code
    retrieved: tuple[UUID, ...] = ()  # passages
    decisions: tuple[DecidedAction, ...] = ()
    effects: tuple[PerformedEffect, ...] = ()
    voters: tuple[RecordId, ...] = ()


# A principal of the tenant that is named beside it, or whoever holds the installation's own token.
Reader = RecordId | Literal["operator"]


class PayloadsDecoded(Model):
    """One request in which a person read payloads of this tenant's histories."""

    schema_version: Literal[1] = 1
    by: Reader
    opened: int = Field(ge=0)
    erased: int = Field(ge=0)  # answered with a tombstone
    keys: tuple[UUID, ...]


class PayloadsRefused(Model):
    """One request in which somebody of this tenant asked for payloads of another."""

    schema_version: Literal[1] = 1
    by: Reader
    refused: int = Field(ge=1)
    keys: tuple[UUID, ...]
