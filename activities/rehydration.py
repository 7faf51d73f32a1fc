"""Puts values back for placeholders. Called only while an effect is being sent."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from domain.errors import UnsafeText
from domain.placeholder import PLACEHOLDER, PlaceholderKind, in_words

# What a placeholder may look like after an editor, a model or a markdown converter had it.
WORN = re.compile(
    r"\\?\[\s*\\?\[\s*(?P<kind>[A-Za-z]+)\s*\\?[_ -]\s*(?P<number>[0-9]{1,4})\s*\\?[_ -]\s*"
    r"(?P<nonce>[A-Za-z0-9]{2,8})\s*\\?\]\s*\\?\]"
)
# What is left of one that nobody can read any more.
LEFT_OVER = re.compile(r"\[\s*\\?\[|\]\s*\\?\]")


def rehydrated(
    text: str, values: Mapping[str, str], withheld: AbstractSet[PlaceholderKind] = frozenset()
) -> str:
    """`text` with every placeholder's value, and a word such as ‹name› for the kinds that are withheld.

    Raises `UnsafeText` where one is unknown or broken. Values are never searched for placeholders.
    """
    parts: list[str] = []
    end = 0
    for found in WORN.finditer(text):
        parts += [_checked(text[end : found.start()]), _value(found, values, withheld)]
        end = found.end()
    return "".join([*parts, _checked(text[end:])])


def _checked(plain: str) -> str:
    if LEFT_OVER.search(plain):
        raise UnsafeText
    return plain


def _value(found: re.Match[str], values: Mapping[str, str], withheld: AbstractSet[PlaceholderKind]) -> str:
    token = f"[[{found['kind'].upper()}_{found['number']}_{found['nonce'].lower()}]]"
    if PLACEHOLDER.fullmatch(token) is None or token not in values:
        raise UnsafeText
    return in_words(token) if found["kind"].upper() in withheld else values[token]
