"""The word that an author perhaps meant."""

import difflib
from collections.abc import Iterable

LONGEST_NAME = 128  # nobody means a known word by a longer one


def perhaps(word: str, words: Iterable[str]) -> str:
    """A suggestion in brackets, or nothing."""
    near = difflib.get_close_matches(word[:LONGEST_NAME], [*words], n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""
