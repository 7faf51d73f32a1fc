"""Words of a text that carry meaning, cut down so that `returns`, `returned` and `returning` meet."""

import re
from pathlib import Path

from domain.placeholder import PLACEHOLDER

WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
QUOTED_LINE = re.compile(r"^\s*>.*$", re.MULTILINE)
ASKS = re.compile(
    r"\?\s*$|^\W*(how|what|when|where|which|who|why|can|could|may|do|does|did|is|are|will|would|should"
    r"|please|tell me|i (need|want|cannot|can't|could not|am unable|would like|wonder))\b",
    re.IGNORECASE,
)
ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ies", "ied", "ed", "es", "ly", "s")
SHORTEST_STEM = 3

STOP_WORDS = frozenset(
    word
    for line in Path(__file__).with_name("stop_words.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
)


def terms(text: str) -> list[str]:
    """The meaningful words in their order, without personal data."""
    words = WORD.findall(PLACEHOLDER.sub(" ", text).lower().replace("’", "'"))
    return [stem(word) for word in words if word not in STOP_WORDS and (len(word) > 2 or word.isdigit())]


def stem(word: str) -> str:
    """Light and the same for questions and articles; it need not be a word."""
    word = word.removesuffix("'s")
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            word = word.removesuffix(ending)
            break
    if len(word) > SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]  # "shipp" and "ship"
    return word.removesuffix("e") if len(word) > SHORTEST_STEM else word


def sentences(text: str) -> list[str]:
    """What was written, without quoted lines."""
    return [part.strip() for part in SENTENCE_END.split(QUOTED_LINE.sub("", text)) if part.strip()]


def asking(text: str) -> list[str]:
    """The sentences that ask for something, or all of them where none does."""
    spoken = sentences(text)
    return [sentence for sentence in spoken if ASKS.search(sentence)] or spoken
