"""A draft: text not yet sent, with its citations and the actions proposed beside it."""

from enum import StrEnum

from pydantic import Field

from domain.action import Refund
from domain.conversation import TextModel
from domain.knowledge import Citation
from domain.model import ArtifactRef, Code, Digest, Model, Version


class Abstention(StrEnum):
    """Why there is no reply."""

    NOTHING_FOUND = "nothing_found"
    LOW_CONFIDENCE = "low_confidence"


class DraftedText(TextModel):
    """What a drafter wrote, with placeholders where personal data belongs."""

    body: str
    citations: tuple[Citation, ...] = ()
    confidence_permille: int = Field(ge=0, le=1000)


class Draft(Model):
    """A turn's draft; texts are in `draft` artifacts."""

    reply: ArtifactRef | None = None
    citations: tuple[Citation, ...] = ()
    # A refund proposed by a playbook; while it waits or after it fails, `reply` must not be sent.
    refund: Refund | None = None
    playbook: Code | None = None
    confidence_permille: int = Field(ge=0, le=1000)
    abstained: Abstention | None = None
    drafter: Version  # which drafter answered
    prompt: Digest  # the prompt or templates it used
    input_digest: Digest
