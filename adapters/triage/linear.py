"""The `Classifier` port without a model service: a linear model in the child pool, plus plain signals."""

from adapters.child_pool import ChildPool, NoChildFree
from adapters.child_process import CallFailed
from adapters.triage.digest import classifier_digest
from domain.conversation import Conversation
from domain.errors import ChildDied, ChildOverran
from domain.triage import Language, Priority, Sentiment, Taxonomy, Triage

CLASSIFY_DEADLINE_S = 10.0  # a tenant's own taxonomy is learnt at its first ticket


class LinearClassifier:
    """Where the child could not answer it is the fallback with confidence 0, so a person gets the ticket."""

    def __init__(self, pool: ChildPool, *, deadline_s: float = CLASSIFY_DEADLINE_S) -> None:
        self._pool = pool
        self._deadline_s = deadline_s

    async def classify(self, conversation: Conversation, taxonomy: Taxonomy) -> Triage:
        """About the latest customer message of a redacted conversation."""
        latest = conversation.latest_from_customer
        text = "" if latest is None else latest.body
        argument = {
            "subject": conversation.subject,
            "text": text,
            "taxonomy": taxonomy.model_dump(mode="json"),
        }
        try:
            answer = await self._pool.call("classify", argument, deadline_s=self._deadline_s)
        except (CallFailed, ChildDied, ChildOverran, NoChildFree):
            return _unknown(taxonomy)
        return Triage.model_validate(answer)


def _unknown(taxonomy: Taxonomy) -> Triage:
    return Triage(
        intent=taxonomy.fallback,
        queue=taxonomy.fallback_queue,
        priority=Priority.NORMAL,
        language=Language.ENGLISH,
        sentiment=Sentiment.NEUTRAL,
        confidence_permille=0,
        classifier=classifier_digest(taxonomy),
    )
