"""What the classifier starts with: a taxonomy for new tenants, background sentences and short word lists."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from domain.conversation import TextModel
from domain.triage import Taxonomy


class WordLists(TextModel):
    """Words separated by blanks."""

    english: str
    others: dict[str, str]
    negative: str
    positive: str


@cache
def starter_taxonomy() -> Taxonomy:
    """What a new tenant's tickets can be about until it brings its own."""
    return Taxonomy.model_validate(_content("starter_taxonomy.yaml"))


@cache
def background_examples() -> tuple[str, ...]:
    """Sentences that no intent of a support desk should claim."""
    return tuple(_content("background.yaml")["examples"])


@cache
def word_lists() -> WordLists:
    """For language and mood."""
    return WordLists.model_validate(_content("words.yaml"))


def _content(name: str) -> Any:
    return yaml.safe_load(files("adapters.triage").joinpath(name).read_text("utf-8"))
