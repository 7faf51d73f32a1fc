"""Find what this tenant knows about the customer's question."""

from temporalio import activity

from domain.conversation import Conversation, TextModel
from domain.knowledge import KnowledgeZone, Passage, Retrieved
from domain.model import ArtifactRef, Model, digest_of
from domain.placeholder import PLACEHOLDER
from domain.ports import ArtifactKind, Artifacts, Knowledge
from domain.ticket import TicketRef

# The support agent's charter: what it may read.
READABLE = frozenset({KnowledgeZone.PUBLIC})
LIMIT = 5


class RetrieveInput(Model):
    """Which redacted conversation asks."""

    ticket: TicketRef
    conversation: ArtifactRef


class Passages(TextModel):
    """The content of a `passages` artifact."""

    passages: tuple[Passage, ...] = ()


class RetrievalActivities:
    """Reads only, so repeating is safe."""

    def __init__(self, *, artifacts: Artifacts, knowledge: Knowledge) -> None:
        self._artifacts = artifacts
        self._knowledge = knowledge

    @activity.defn
    async def retrieve(self, input: RetrieveInput) -> Retrieved:
        """Passages for the latest customer message, best first. Empty is an answer."""
        content = await self._artifacts.get(input.ticket, input.conversation)
        query = _query(Conversation.model_validate_json(content))
        tenant = input.ticket.tenant_id
        found = tuple(await self._knowledge.search(tenant, query, READABLE, LIMIT)) if query else ()
        return Retrieved(
            citations=tuple(passage.citation for passage in found),
            passages=await self._keep(input.ticket, found) if found else None,
            backend=self._knowledge.backend,
            input_digest=digest_of(input),
        )

    async def _keep(self, ticket: TicketRef, found: tuple[Passage, ...]) -> ArtifactRef:
        content = Passages(passages=found).model_dump_json().encode()
        return await self._artifacts.put(ticket, ArtifactKind.PASSAGES, content)


def _query(conversation: Conversation) -> str:
    """Subject and latest message; a placeholder says nothing about what is asked."""
    latest = conversation.latest_from_customer
    text = f"{conversation.subject}\n{latest.body if latest else ''}"
    return " ".join(PLACEHOLDER.sub(" ", text).split())
