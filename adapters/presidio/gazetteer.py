"""Word lists of our own, frozen in `words/`: given names, and words that only look like names."""

from importlib.resources import files


def _words(name: str) -> frozenset[str]:
    return frozenset(files("adapters.presidio").joinpath("words", f"{name}.txt").read_text("utf-8").split())


GIVEN_NAMES = _words("given_names")
# Given names that are also ordinary words: they count only together with a second name.
AMBIGUOUS_NAMES = _words("ambiguous_names")
# What stands where names stand and is none.
NOT_NAMES = _words("not_names")
# Family names among these count only with a capital letter.
EVERYDAY_WORDS = NOT_NAMES | AMBIGUOUS_NAMES | _words("everyday_words")
