"""Say what a ticket is about."""

from temporalio import activity

from domain.conversation import Conversation
from domain.model import ArtifactRef, Digest, Model, digest_of
from domain.ports import Artifacts, Classifier, Tenants
from domain.ticket import TicketRef
from domain.triage import Triage


class TriageInput(Model):
    """Which redacted conversation to classify."""

    ticket: TicketRef
    conversation: ArtifactRef


class Triaged(Model):
    """The classifier's answer."""

    triage: Triage
    input_digest: Digest


class TriageActivities:
    """Reads only, so repeating is safe."""

    def __init__(self, *, tenants: Tenants, artifacts: Artifacts, classifier: Classifier) -> None:
        self._tenants = tenants
        self._artifacts = artifacts
        self._classifier = classifier

    @activity.defn
    async def triage(self, input: TriageInput) -> Triaged:
        """Classifies the latest customer message within the tenant's own taxonomy."""
        configuration = await self._tenants.configuration(input.ticket.tenant_id)
        content = await self._artifacts.get(input.ticket, input.conversation)
        conversation = Conversation.model_validate_json(content)
        answer = await self._classifier.classify(conversation, configuration.taxonomy)
        return Triaged(triage=answer, input_digest=digest_of(input))
