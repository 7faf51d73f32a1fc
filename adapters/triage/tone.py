"""Language, sentiment and urgency by short word lists; cheap, and honest about knowing only English."""

import re

from adapters.triage.taxonomy import word_lists
from domain.placeholder import PLACEHOLDER
from domain.triage import Language, Priority, Sentiment, Signal

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
MAX_WORDS = 2000
_LISTS = word_lists()
_ENGLISH = frozenset(_LISTS.english.split())
_OTHERS = tuple(frozenset(words.split()) for words in _LISTS.others.values())
_NEGATIVE = frozenset(_LISTS.negative.split())
_POSITIVE = frozenset(_LISTS.positive.split())
_URGENT = re.compile(
    r"\b(?:urgent(?:ly)?|asap|as soon as possible|immediately|emergency|right (?:now|away)|today|critical)\b",
    re.IGNORECASE,
)
_GRAVE = frozenset({Signal.LEGAL_THREAT, Signal.IDENTITY_IN_DOUBT})
_LADDER = tuple(Priority)  # low, normal, high, urgent


def language_of(text: str) -> Language:
    """English unless the script or the small words say otherwise."""
    plain = PLACEHOLDER.sub(" ", text)
    letters = [character for character in plain if character.isalpha()]
    foreign = sum(character > "\u024f" for character in letters)
    if letters and foreign / len(letters) > 0.3:
        return Language.OTHER
    words = _words(plain)
    english = sum(word in _ENGLISH for word in words)
    other = max(sum(word in small for word in words) for small in _OTHERS)
    return Language.OTHER if other >= 2 and other > english else Language.ENGLISH


def sentiment_of(text: str) -> Sentiment:
    """Counts words; shouting and rows of exclamation marks count as anger."""
    words = _words(text)
    negative = sum(word in _NEGATIVE for word in words) + ("!!" in text) + _shouts(text)
    positive = sum(word in _POSITIVE for word in words)
    if negative > positive:
        return Sentiment.NEGATIVE
    return Sentiment.POSITIVE if positive > negative else Sentiment.NEUTRAL


def priority_of(text: str, base: Priority, signals: tuple[Signal, ...]) -> Priority:
    """The intent's own, one step up for urgent words and one for grave signals, which are at least high."""
    grave = bool(_GRAVE & set(signals))
    step = _LADDER.index(base) + bool(_URGENT.search(text)) + grave
    lowest = _LADDER.index(Priority.HIGH) if grave else 0
    return _LADDER[min(max(step, lowest), len(_LADDER) - 1)]


def _words(text: str) -> list[str]:
    return [match[0].lower() for match, _ in zip(_WORD.finditer(text), range(MAX_WORDS), strict=False)]


def _shouts(text: str) -> bool:
    letters = [character for character in PLACEHOLDER.sub("", text) if character.isalpha()]
    return len(letters) > 20 and sum(map(str.isupper, letters)) / len(letters) > 0.7
