"""What a ticket is about. Intents come from the tenant's taxonomy, so an unknown one cannot exist."""

from enum import StrEnum

from pydantic import Field

from domain.conversation import TextModel
from domain.model import Code, Digest, Model


class Priority(StrEnum):
    """How soon a ticket wants attention."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Language(StrEnum):
    """Languages we can redact and answer, and everything else."""

    ENGLISH = "en"
    OTHER = "other"


class Sentiment(StrEnum):
    """How the customer sounds."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Signal(StrEnum):
    """Things in a text that a person should know about."""

    ASKS_FOR_HUMAN = "asks_for_human"
    LEGAL_THREAT = "legal_threat"
    INJECTION = "injection"
    IDENTITY_IN_DOUBT = "identity_in_doubt"
    THANKS = "thanks"  # nothing but thanks: whoever was answered is content


class Triage(Model):
    """The classifier's answer about the latest customer message; confidences in permille."""

    intent: Code
    queue: Code
    priority: Priority
    language: Language
    sentiment: Sentiment
    confidence_permille: int = Field(ge=0, le=1000)
    signals: tuple[Signal, ...] = ()
    classifier: Digest  # which classifier and taxonomy answered


class Intent(TextModel):
    """One entry of a tenant's taxonomy with example sentences of our own or the tenant's writing."""

    intent: Code
    queue: Code
    priority: Priority = Priority.NORMAL
    examples: tuple[str, ...]


class Taxonomy(TextModel):
    """What a tenant's tickets can be about; `fallback` answers when nothing fits."""

    intents: tuple[Intent, ...]
    fallback: Code = "other"
    fallback_queue: Code = "general"
