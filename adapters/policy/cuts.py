"""A compiled policy cut down to what is about one action: all that an engine reads to decide it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import JsonValue

NOT_READ = frozenset({"name", "approval"})  # by the library; `adapters.policy.words` reads them


class Cuts:
    """Of one policy, as JSON; made at an action's first decision and kept.

    A cut grants nothing to any other action: those are not declared in it.
    """

    def __init__(self, document: Mapping[str, JsonValue]) -> None:
        self._document: Any = document
        self._made: dict[str, str] = {}
        self._named = frozenset(_named(self._document))

    def about(self, action: object) -> str:
        """An action that the policy does not name gets the rules about all actions."""
        name = action if isinstance(action, str) and action in self._named else ""
        if name not in self._made:
            self._made[name] = json.dumps(_cut(self._document, name), separators=(",", ":"))
        return self._made[name]


def _named(document: Any) -> Iterator[str]:
    yield from document["declared"]
    for level in document["levels"]:
        yield from level["rules_of"]
        yield from level["arguments"]


def _cut(document: Any, action: str) -> dict[str, Any]:
    read = {action, "*"}
    places = sorted({
        place
        for level in document["levels"]
        for name, listed in level["rules_of"].items()
        if name in read
        for place in listed
    })  # fmt: skip
    moved = {place: new for new, place in enumerate(places)}
    return {
        "levels": [_level(level, read, moved) for level in document["levels"]],
        "rules": [document["rules"][place] for place in places],
        "declared": {name: it for name, it in document["declared"].items() if name == action},
    }


def _level(level: Any, read: set[str], moved: Mapping[int, int]) -> dict[str, Any]:
    rules_of = {
        name: [moved[place] for place in it] for name, it in level["rules_of"].items() if name in read
    }
    arguments = {name: it for name, it in level["arguments"].items() if name in read}
    kept = {word: it for word, it in level.items() if word not in NOT_READ}
    return {**kept, "rules_of": rules_of, "arguments": arguments}
