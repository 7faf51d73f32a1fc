"""What a tenant knows: passages of articles, each in a knowledge zone."""

from enum import StrEnum
from uuid import UUID

from domain.conversation import TextModel
from domain.model import ArtifactRef, Digest, Model


class KnowledgeZone(StrEnum):
    """The tier of an article; a draft citing more than `public` needs a person before a public channel."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PRIVILEGED = "privileged"
    CUSTOMER = "customer"


class RetrievalBackend(StrEnum):
    """Which search answered."""

    FULL_TEXT = "full_text"


class Citation(Model):
    """Points at the passage a statement comes from."""

    passage_id: UUID
    version: int
    zone: KnowledgeZone
    score_permille: int


class Passage(TextModel):
    """A piece of an article, with its text."""

    citation: Citation
    title: str
    body: str


class Retrieved(Model):
    """What the search found, best first; empty is an answer. Texts are in the `passages` artifact."""

    citations: tuple[Citation, ...]
    passages: ArtifactRef | None
    backend: RetrievalBackend
    input_digest: Digest
