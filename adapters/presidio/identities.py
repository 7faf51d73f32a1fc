"""Finds what the record and the vault already know about a ticket's people, in every spelling."""

import unicodedata
from collections.abc import Iterator
from typing import Any

import regex
from presidio_analyzer import EntityRecognizer, RecognizerResult

from adapters.presidio.gazetteer import EVERYDAY_WORDS
from adapters.presidio.recognizers import PATTERN_TIMEOUT_S, result
from domain.conversation import Requester
from domain.placeholder import PlaceholderKind

K = PlaceholderKind
MAX_IDENTITIES = 400
Identity = tuple[PlaceholderKind, str]

_GAP = r"[\s().\-\u2010-\u2015/·]{0,3}"
_NO_LETTER_BEFORE, _NO_LETTER_AFTER = r"(?<!\p{L})", r"(?!\p{L})"
_SHARED_MAILBOXES = frozenset(
    [
        "info",
        "mail",
        "contact",
        "support",
        "hello",
        "office",
        "admin",
        "sales",
        "team",
        "help",
        "service",
        "orders",
    ]
)


class TooManyIdentities(Exception):
    """More known values than we can search for in time; leaving some out would let them pass."""

    def __init__(self) -> None:
        super().__init__("A ticket has too many known identities")


class IdentityRecognizer(EntityRecognizer):
    """Known values of one ticket; certain, so they win over guesses."""

    def __init__(self, identities: list[Identity], *, guessed: bool = False) -> None:
        """A `guessed` name was found in the text, so its parts count only with a capital letter."""
        distinct = dict.fromkeys(identities)
        if len(distinct) > MAX_IDENTITIES:
            raise TooManyIdentities
        self._patterns = [
            (kind, regex.compile(pattern, regex.IGNORECASE), capital or guessed)
            for kind, value in distinct
            for pattern, capital in _patterns(kind, value)
        ]
        self._score = 0.2 if guessed else 1.0
        super().__init__([kind.value for kind in K], name="known_identities")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002 - Presidio's signature
        nlp_artifacts: Any = None,  # noqa: ARG002 - the same
    ) -> list[RecognizerResult]:
        """Searches the text without its accents; the positions stay."""
        plain = folded(text)
        return [
            result(kind, *match.span(), self._score)
            for kind, pattern, capital in self._patterns
            for match in pattern.finditer(plain, timeout=PATTERN_TIMEOUT_S)
            if not capital or not text[match.start()].islower()
        ]


def identities_of(requester: Requester) -> list[Identity]:
    """What the helpdesk's record says about the customer."""
    fields = ((K.PERSON, requester.name), (K.EMAIL, requester.email), (K.PHONE, requester.phone))
    known = [(kind, value) for kind, value in (*fields, (K.ADDRESS, requester.address)) if value]
    return [(kind, value.strip()) for kind, value in known if value.strip()]


def folded(text: str) -> str:
    """Lower case without accents, character by character, so that the length stays."""
    return "".join(unicodedata.normalize("NFD", character)[0].lower()[0] for character in text)


def is_spelling_of(text: str, identity: Identity) -> bool:
    """Whether the whole of `text` is one of the spellings that we search for."""
    kind, value = identity
    plain = folded(text)
    return any(
        regex.fullmatch(pattern, plain, regex.IGNORECASE, timeout=PATTERN_TIMEOUT_S)
        for pattern, _ in _patterns(kind, value)
    )


def _patterns(kind: PlaceholderKind, value: str) -> Iterator[tuple[str, bool]]:
    """(pattern over folded text, whether the first letter must be a capital)."""
    value = unicodedata.normalize("NFKC", value)
    match kind:
        case K.PERSON if "@" not in value:  # where the name is unknown helpdesks give the address
            yield from _of_name(value)
        case K.EMAIL | K.PERSON:
            yield from _of_email(value)
        case K.PHONE:
            yield from _of_phone(value)
        case K.ADDRESS:
            yield from _of_address(value)
        case _:
            yield from _literal(value)


def _of_name(name: str) -> Iterator[tuple[str, bool]]:
    parts = [regex.escape(part) for part in regex.findall(r"[\p{L}'’-]+", folded(name))]
    if not parts:
        return
    first, last = parts[0], parts[-1]
    if len(parts) > 1:
        yield _words(r"[\s.]{1,3}".join(parts)), False
        yield _words(rf"{first}\s(?:\p{{L}}[\p{{L}}.]{{0,20}}\s)?{last}"), False
        yield _words(rf"{last},?\s{{1,2}}{first}"), False
        yield _words(rf"{first[0]}\.?\s?{last}"), False
        yield _words(rf"{first}\s{last[0]}\b\.?"), False
        yield _words(rf"{first}[._-]?{last}"), False
    for part in dict.fromkeys(parts):
        if len(part) >= 3:
            yield _words(part), part in EVERYDAY_WORDS


def _of_email(address: str) -> Iterator[tuple[str, bool]]:
    plain = folded(address)
    local = plain.partition("@")[0]
    yield rf"(?<![\w.+-]){regex.escape(plain)}(?![\w-])", False
    if len(local) >= 4 and local not in _SHARED_MAILBOXES and local not in EVERYDAY_WORDS:
        yield rf"(?<![\w.+-]){regex.escape(local)}(?![\w-])", False


def _of_phone(number: str) -> Iterator[tuple[str, bool]]:
    digits = [character for character in number if character.isdigit()][-9:]
    if len(digits) >= 6:
        prefix = rf"(?<!\d)(?:(?:\+\s?)?\(?(?:\d{_GAP}){{1,5}})?\(?"
        yield prefix + _GAP.join(digits) + r"(?!\d)", False


def _of_address(address: str) -> Iterator[tuple[str, bool]]:
    lines = [part.strip() for part in regex.split(r"[,;\n]", folded(address)) if part.strip()]
    if len(lines) > 1:
        yield _whole(r"[\s,;]{0,4}".join(map(_spaced, lines))), False
    for line in lines:
        if len(line) >= 4:
            yield _whole(_spaced(line)), line.isalpha()


def _literal(value: str) -> Iterator[tuple[str, bool]]:
    if len(value) >= 4:
        yield _whole(_spaced(folded(value))), False


def _spaced(text: str) -> str:
    return r"\s{1,3}".join(map(regex.escape, text.split()))


def _words(pattern: str) -> str:
    return _NO_LETTER_BEFORE + pattern + _NO_LETTER_AFTER


def _whole(pattern: str) -> str:
    return rf"(?<!\w){pattern}(?!\w)"
