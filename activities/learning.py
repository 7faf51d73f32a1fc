"""Keep what teammates made of our drafts: labelled examples for whoever improves the drafter."""

import asyncio

from pydantic import Field
from temporalio import activity

from activities.intake import placeholders_of
from domain.conversation import Author, Conversation
from domain.learning import LabelledEdit, edit_distance_permille
from domain.model import ArtifactRef, Digest, Model, digest_of
from domain.ports import ArtifactKind, Artifacts, LabelledEdits, Redactor, Vault
from domain.ticket import TicketRef


class LearnInput(Model):
    """A conversation that a teammate has answered."""

    ticket: TicketRef
    raw: ArtifactRef


class Learned(Model):
    """The teammate's words, redacted, and how far from ours; empty where no draft was left for them."""

    edited: ArtifactRef | None = None
    distance_permille: int | None = Field(default=None, ge=0, le=1000)
    recorded: bool = False  # False: it was recorded before
    input_digest: Digest


class LearningActivities:
    """Artifacts are named by content and a message has one edit, so repeating is safe."""

    def __init__(
        self, *, artifacts: Artifacts, vault: Vault, redactor: Redactor, edits: LabelledEdits
    ) -> None:
        self._artifacts = artifacts
        self._vault = vault
        self._redactor = redactor
        self._edits = edits

    @activity.defn
    async def learn(self, input: LearnInput) -> Learned:
        """Fails closed: what cannot be redacted is not kept."""
        left = await self._edits.left(input.ticket)
        said = _said_by_teammate(await self._conversation(input)) if left else None
        if left is None or said is None:
            return Learned(input_digest=digest_of(input))
        known = placeholders_of(await self._vault.values(input.ticket))
        safe = await self._redactor.redact_text(said, known)
        draft = (await self._artifacts.get(input.ticket, left.draft)).decode()
        distance = await asyncio.to_thread(edit_distance_permille, draft, safe)
        edited = await self._artifacts.put(input.ticket, ArtifactKind.EDIT, safe.encode())
        edit = LabelledEdit(
            message=left.message,
            turn=left.turn,
            draft=left.draft,
            edited=edited,
            distance_permille=distance,
        )
        recorded = await self._edits.record(input.ticket, edit)
        return Learned(
            edited=edited, distance_permille=distance, recorded=recorded, input_digest=digest_of(input)
        )

    async def _conversation(self, input: LearnInput) -> Conversation:
        return Conversation.model_validate_json(await self._artifacts.get(input.ticket, input.raw))


def _said_by_teammate(conversation: Conversation) -> str | None:
    """Their newest public message since the customer wrote: what was said before answers something else."""
    asked = conversation.latest_from_customer
    since = conversation.messages.index(asked) + 1 if asked else 0
    theirs = [
        message.body
        for message in conversation.messages[since:]
        if message.author is Author.TEAMMATE and message.public and not message.automatic
    ]
    return theirs[-1] if theirs else None
