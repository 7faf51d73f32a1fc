"""Redaction itself, in a child of the pool. Any doubt is an exception, and an exception is quarantine."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from presidio_analyzer import RecognizerResult

from adapters.presidio import engine, tripwire
from adapters.presidio.identities import Identity, IdentityRecognizer, identities_of
from adapters.presidio.normalise import MAX_CHARACTERS, TextTooLong, normalise
from adapters.presidio.placeholders import Placeholders
from domain.conversation import Conversation, Requester
from domain.placeholder import PLACEHOLDER, PlaceholderKind
from domain.ports import Redacted

MAX_CONVERSATION_CHARACTERS = 2 * MAX_CHARACTERS
K = PlaceholderKind
# Kinds that are recognised by what stands around them: once found, the same words count everywhere.
_FOUND_BY_CONTEXT = frozenset({K.PERSON, K.ORDER, K.SECRET, K.ADDRESS, K.SSN, K.PHONE})


class RedactionEngine:
    """One per process; the recognisers are compiled once."""

    def __init__(self) -> None:
        self._analyzer = engine.new_analyzer()
        self._digest = engine.recognizers_digest()

    def redact(self, conversation: Conversation, known: Mapping[str, str]) -> Redacted:
        """The whole conversation with one vault: record first, then the subject, then message by message."""
        texts = [normalise(conversation.subject), *(normalise(m.body) for m in conversation.messages)]
        record = identities_of(conversation.requester)
        placeholders = Placeholders(known, record)
        requester = _replaced_record(conversation.requester, placeholders)
        subject, *bodies = self._redact_texts(texts, record + _identities_in(known), placeholders)
        messages = zip(conversation.messages, bodies, strict=True)
        changed = {
            "subject": subject,
            "requester": requester,
            "messages": tuple(message.model_copy(update={"body": body}) for message, body in messages),
        }
        return Redacted(
            conversation=conversation.model_copy(update=changed),
            values=placeholders.values,
            counts=placeholders.counts,
            recognizers=self._digest,
        )

    def redact_text(self, text: str, known: Mapping[str, str] = MappingProxyType({})) -> str:
        """One text on its own; its placeholders lead nowhere, those of known values too."""
        (redacted,) = self._redact_texts([normalise(text)], _identities_in(known), Placeholders({}, []))
        return redacted

    def _redact_texts(
        self, texts: list[str], identities: list[Identity], placeholders: Placeholders
    ) -> list[str]:
        if sum(map(len, texts)) > MAX_CONVERSATION_CHARACTERS:
            raise TextTooLong
        known = IdentityRecognizer(identities)
        found = [engine.find(self._analyzer, text, [known]) for text in texts]
        found = self._found_again(texts, found)
        placeholders.expect_orders(_order_numbers(texts, found))
        redacted = [
            engine.replaced(text, engine.united(findings), placeholders)
            for text, findings in zip(texts, found, strict=True)
        ]
        for text in redacted:
            tripwire.check(text)
        return redacted

    def _found_again(
        self, texts: list[str], found: list[list[RecognizerResult]]
    ) -> list[list[RecognizerResult]]:
        """A name from the signature is the same name in the middle of a sentence."""
        values = [
            (PlaceholderKind(finding.entity_type), text[finding.start : finding.end])
            for text, findings in zip(texts, found, strict=True)
            for finding in findings
            if finding.entity_type in _FOUND_BY_CONTEXT
        ]
        again = IdentityRecognizer(values, guessed=True)
        return [
            findings + engine.find(self._analyzer, text, [again], only_extra=True)
            for text, findings in zip(texts, found, strict=True)
        ]


def _order_numbers(texts: list[str], found: list[list[RecognizerResult]]) -> list[str]:
    return [
        text[finding.start : finding.end]
        for text, findings in zip(texts, found, strict=True)
        for finding in findings
        if finding.entity_type == K.ORDER
    ]


def _replaced_record(requester: Requester, placeholders: Placeholders) -> Requester:
    fields = {kind: placeholders.of(kind, value) for kind, value in identities_of(requester)}
    return Requester(
        external_id="",
        name=fields.get(K.PERSON),
        email=fields.get(K.EMAIL),
        phone=fields.get(K.PHONE),
        address=fields.get(K.ADDRESS),
    )


def _identities_in(known: Mapping[str, str]) -> list[Identity]:
    matches = ((PLACEHOLDER.fullmatch(token), value) for token, value in known.items())
    return [
        (PlaceholderKind(match["kind"]), value)
        for match, value in matches
        if match is not None and match["kind"] in K.__members__
    ]


def redact_text_call(redaction: RedactionEngine, argument: Any) -> str:
    """`Redactor.redact_text` as the pool carries it."""
    return redaction.redact_text(str(argument["text"]), argument["known"])


def redact_call(redaction: RedactionEngine, argument: Any) -> Any:
    """`Redactor.redact` as the pool carries it."""
    conversation = Conversation.model_validate(argument["conversation"])
    return redaction.redact(conversation, argument["known"]).model_dump(mode="json")
