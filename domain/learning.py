"""Edits of our drafts by teammates, as labelled examples: references and numbers, no text. Pure."""

from difflib import SequenceMatcher

from pydantic import Field

from domain.model import ArtifactRef, MessageKey, Model, Version

# Words of each text that are compared: a whole letter, and never an hour of reckoning.
LONGEST_COMPARED = 500


class LabelledEdit(Model):
    """What a teammate made of the draft that was left for them, and how far it is from it."""

    message: MessageKey  # of the customer, which both answer
    turn: int = Field(ge=0)
    draft: ArtifactRef
    edited: ArtifactRef
    distance_permille: int = Field(ge=0, le=1000)
    drafter: Version | None = None


class LeftDraft(Model):
    """The newest draft that a teammate found as a private note, and the message that it answers."""

    draft: ArtifactRef
    message: MessageKey
    turn: int = Field(ge=0)


def edit_distance_permille(draft: str, edited: str) -> int:
    """0 for the same words in the same order, 1000 for no word in common. White space counts for nothing."""
    ours, theirs = (text.split()[:LONGEST_COMPARED] for text in (draft, edited))
    return round(1000 * (1 - SequenceMatcher(a=ours, b=theirs, autojunk=False).ratio()))
