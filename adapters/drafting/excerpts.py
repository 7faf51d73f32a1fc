"""The part of a passage that is worth quoting: whole paragraphs, and lists with their introduction."""

import re
from collections.abc import Mapping

from adapters.drafting.terms import sentences, terms

LENGTH = 700  # characters; a list is kept whole beyond it

HEADING = re.compile(r"^#{1,6}\s+", re.MULTILINE)
EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
LINK = re.compile(r"!?\[([^\]]+)\]\(([^)\s]+)\)")
LIST_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")


def excerpt(body: str, weights: Mapping[str, float], length: int = LENGTH) -> str:
    """Paragraphs around the one that says most about `weights`' terms, in their own order."""
    found = paragraphs(plain(body))
    if not found:
        return ""
    best = max(range(len(found)), key=lambda index: (weigh(found[index], weights), -index))
    if len(found[best]) > length and not _is_list(found[best]):
        return _sentences_of(found[best], weights, length)
    return "\n\n".join(_grown(found, best, length))


def plain(markdown: str) -> str:
    """Markdown as people write it in a plain-text message."""
    text = LINK.sub(r"\1 (\2)", HEADING.sub("", markdown.replace("\r\n", "\n")))
    return EMPHASIS.sub(r"\2", text).strip()


def paragraphs(text: str) -> list[str]:
    """Blocks between blank lines; a list belongs to the line that introduces it."""
    found: list[str] = []
    for block in (part.strip() for part in re.split(r"\n\s*\n", text)):
        if not block:
            continue
        if found and _is_list(block) and (found[-1].endswith(":") or _is_list(found[-1])):
            found[-1] += "\n" + block
        else:
            found.append(block)
    return found


def weigh(text: str, weights: Mapping[str, float]) -> float:
    """How much of the question's weight the text has."""
    return sum(weights.get(term, 0.0) for term in set(terms(text)))


def _grown(found: list[str], best: int, length: int) -> list[str]:
    """The best paragraph with those after it, then those before it, as long as they fit."""
    first = last = best
    size = len(found[best])
    while last + 1 < len(found) and size + len(found[last + 1]) <= length:
        last += 1
        size += len(found[last])
    while first > 0 and size + len(found[first - 1]) <= length:
        first -= 1
        size += len(found[first])
    return found[first : last + 1]


def _sentences_of(paragraph: str, weights: Mapping[str, float], length: int) -> str:
    spoken = sentences(paragraph)
    best = max(range(len(spoken)), key=lambda index: (weigh(spoken[index], weights), -index))
    return " ".join(_grown(spoken, best, length))


def _is_list(block: str) -> bool:
    return any(LIST_ITEM.match(line) for line in block.splitlines())
