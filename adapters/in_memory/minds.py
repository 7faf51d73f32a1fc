"""Redaction, triage, knowledge, drafting and policy by a few plain rules."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

from domain.action import ActionType
from domain.conversation import Conversation, Requester
from domain.decision import EngineAnswer, Obligations, PolicyInput, Reason, Verdict
from domain.draft import DraftedText
from domain.knowledge import KnowledgeZone, Passage, RetrievalBackend
from domain.model import Code, Digest
from domain.placeholder import PlaceholderKind, placeholder
from domain.ports import PolicyEngine, Redacted, TenantConfiguration
from domain.ticket import Owner
from domain.triage import Language, Priority, Sentiment, Signal, Taxonomy, Triage

NONCE = "k7"
ORDER = re.compile(r"\b[A-Z]{2}-\d{4}\b")
ALLOWED_MINOR_UNITS = 50_00
ASKED_MINOR_UNITS = 500_00


def version_of(name: str) -> Digest:
    """A digest that only says which one this is."""
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


class InMemoryRedactor:
    """`Redactor` of the requester's record and of order numbers like `HB-1042`."""

    def __init__(self) -> None:
        self.trouble: list[BaseException] = []
        self.calls = 0

    async def redact(self, conversation: Conversation, known: Mapping[str, str]) -> Redacted:
        """Known values keep their placeholder."""
        self.calls += 1
        if self.trouble:
            raise self.trouble.pop(0)
        tokens = {value: token for token, value in known.items()}
        for kind, value in _found(conversation):
            tokens.setdefault(value, _next(kind, tokens.values()))
        return Redacted(
            conversation=_replaced(conversation, tokens),
            values={token: value for value, token in tokens.items()},
            counts={},
            recognizers=version_of("recognizers"),
        )

    async def redact_text(self, text: str, known: Mapping[str, str]) -> str:
        """Without anything to put back."""
        for token, value in known.items():
            text = text.replace(value, token)
        return ORDER.sub(placeholder(PlaceholderKind.ORDER, 1, "xx"), text)


def _found(conversation: Conversation) -> list[tuple[PlaceholderKind, str]]:
    asked = conversation.requester
    record = [(PlaceholderKind.PERSON, asked.name), (PlaceholderKind.EMAIL, asked.email)]
    text = "\n".join([conversation.subject, *(message.body for message in conversation.messages)])
    orders = [(PlaceholderKind.ORDER, number) for number in ORDER.findall(text)]
    return [(kind, value) for kind, value in [*record, *orders] if value]


def _next(kind: PlaceholderKind, taken: Iterable[str]) -> str:
    number = 1 + sum(token.startswith(f"[[{kind}_") for token in taken)
    return placeholder(kind, number, NONCE)


def _replaced(conversation: Conversation, tokens: Mapping[str, str]) -> Conversation:
    def safe(text: str) -> str:
        for value, token in tokens.items():
            text = text.replace(value, token)
        return text

    asked = conversation.requester
    return conversation.model_copy(
        update={
            "subject": safe(conversation.subject),
            "requester": Requester(
                external_id="", name=asked.name and safe(asked.name), email=asked.email and safe(asked.email)
            ),
            "messages": tuple(
                message.model_copy(update={"body": safe(message.body)}) for message in conversation.messages
            ),
        }
    )


class InMemoryClassifier:
    """`Classifier` by the first word of the taxonomy that the message has."""

    def __init__(self) -> None:
        self.signals: dict[str, Signal] = {
            "human": Signal.ASKS_FOR_HUMAN,
            "lawyer": Signal.LEGAL_THREAT,
            "ignore all": Signal.INJECTION,
            "thanks": Signal.THANKS,
        }

    async def classify(self, conversation: Conversation, taxonomy: Taxonomy) -> Triage:
        """Never raises for strange text."""
        latest = conversation.latest_from_customer
        text = latest.body.lower() if latest else ""
        found = next((one for one in taxonomy.intents if any(word in text for word in one.examples)), None)
        return Triage(
            intent=found.intent if found else taxonomy.fallback,
            queue=found.queue if found else taxonomy.fallback_queue,
            priority=found.priority if found else Priority.NORMAL,
            language=Language.OTHER if "bonjour" in text else Language.ENGLISH,
            sentiment=Sentiment.NEUTRAL,
            confidence_permille=900 if found else 100,
            signals=tuple(signal for word, signal in self.signals.items() if word in text),
            classifier=version_of("classifier"),
        )


class InMemoryKnowledge:
    """`Knowledge`: a passage answers when it shares a long word with the question."""

    backend = RetrievalBackend.FULL_TEXT

    def __init__(self, *passages: Passage) -> None:
        self.passages = passages

    async def search(
        self, tenant_id: UUID, query: str, zones: frozenset[KnowledgeZone], limit: int
    ) -> Sequence[Passage]:
        """Only the readable zones."""
        del tenant_id
        words = {word for word in re.findall(r"\w+", query.lower()) if len(word) > 5}
        readable = [passage for passage in self.passages if passage.citation.zone in zones]
        return [p for p in readable if words & set(re.findall(r"\w+", p.body.lower()))][:limit]


class InMemoryDrafter:
    """`Drafter` that quotes the best passage."""

    version = "quoting-1"
    prompt = version_of("prompt")

    def __init__(self) -> None:
        self.confidence_permille = 800

    async def draft(
        self, conversation: Conversation, passages: Sequence[Passage], tenant: TenantConfiguration
    ) -> DraftedText | None:
        """None without a passage."""
        del conversation, tenant
        if not passages:
            return None
        best = passages[0]
        return DraftedText(
            body=best.body, citations=(best.citation,), confidence_permille=self.confidence_permille
        )


class InMemoryEngine:
    """`PolicyEngine` with the limits of the starter bundle: refunds up to 50.00, asking up to 500.00."""

    def __init__(self, name: str = "bundle") -> None:
        self.version = version_of(name)
        self.obligations = Obligations(approver_groups=("approvers",))
        self.redact_fields: tuple[Code, ...] = ()  # of everything that is allowed
        self.denied: frozenset[Code] = frozenset()  # whatever else it would say

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        """Denies what it does not know."""
        if input_.action.type in self.denied:
            return _answer(Verdict.DENY, "no_more_of_these", "denied")
        answer = self._answer(input_)
        if answer.verdict is Verdict.ALLOW and self.redact_fields:
            terms = Obligations(redact_fields=self.redact_fields)
            return _answer(Verdict.SANITIZE, "no_personal_data", "fields_redacted", terms)
        return answer

    def _answer(self, input_: PolicyInput) -> EngineAnswer:
        if input_.action.type == ActionType.REFUND:
            return self._refund(input_)
        if input_.action.type == ActionType.REPLY and input_.ticket.owner is Owner.TEAMMATE:
            return _answer(Verdict.DENY, "who_owns_speaks", "owned_by_teammate")
        return _answer(Verdict.ALLOW, "everyday_actions", "allowed")

    def _refund(self, input_: PolicyInput) -> EngineAnswer:
        amount, order = input_.action.amount, input_.order
        if amount is None or order is None or not order.owner_is_requester:
            return _answer(Verdict.DENY, "fail_closed", "fact_missing")
        if amount.minor_units > ASKED_MINOR_UNITS:
            return _answer(Verdict.DENY, "refund_limits", "too_large")
        if amount.minor_units > ALLOWED_MINOR_UNITS:
            return _answer(Verdict.APPROVAL_NEEDED, "refund_limits", "needs_a_person", self.obligations)
        return _answer(Verdict.ALLOW, "refund_limits", "small")


def _answer(verdict: Verdict, rule: Code, code: Code, obligations: Obligations | None = None) -> EngineAnswer:
    return EngineAnswer(verdict=verdict, reasons=(Reason(rule=rule, code=code),), obligations=obligations)


class ScriptedEngine:
    """`PolicyEngine` that answers what a test says."""

    def __init__(self, answer: Callable[[PolicyInput], EngineAnswer]) -> None:
        self.version = version_of("scripted")
        self._answer = answer

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        """As scripted."""
        return self._answer(input_)


class InMemoryPolicies:
    """`Policies`: one engine for everybody."""

    def __init__(self, engine: PolicyEngine | None = None) -> None:
        self.engine: PolicyEngine = engine or InMemoryEngine()
        self.tried: PolicyEngine | None = None

    async def active(self, tenant_id: UUID, agent: str = "support_agent") -> PolicyEngine:
        """The one there is."""
        del tenant_id, agent
        return self.engine

    async def newest(self, tenant_id: UUID, agent: str = "support_agent") -> PolicyEngine:
        """The same."""
        return await self.active(tenant_id, agent)

    async def candidate(self, tenant_id: UUID, agent: str = "support_agent") -> PolicyEngine | None:
        """None is tried."""
        del tenant_id, agent
        return self.tried
