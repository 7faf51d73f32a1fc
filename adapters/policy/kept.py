"""A compiled policy for as long as it decides: as text, cut down to what is about one action at a time.

A thousand policies as objects would make each full collection of garbage stop every decision for 0.1 s.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from adapters.policy.effective import Effective
from adapters.policy.primitives._base import Counter
from domain.model import Digest


class KeptPolicy:
    """Of one policy, all that deciding needs. A cut is made at an action's first decision.

    It grants nothing to any other action: those are not declared in it.
    """

    def __init__(self, policy: Effective) -> None:
        self.version: Digest = policy.version
        self.counters = policy.counters
        self._text = _written(policy.document)
        self._sources = _written(policy.sources)
        self._named = frozenset(_named(policy.document))
        self._cuts: dict[str, str] = {}

    def whole(self) -> Effective:
        """Read again, for those who need all of it now and then."""
        return Effective(json.loads(self._text), json.loads(self._sources))

    def counters_of(self, action: str) -> tuple[Counter, ...]:
        """What must be counted before that action."""
        return tuple(counter for counter in self.counters if counter.action == action)

    def about(self, action: object) -> str:
        """As JSON. An action that the policy does not name gets the rules about all actions."""
        name = action if isinstance(action, str) and action in self._named else ""
        if name not in self._cuts:
            self._cuts[name] = _written(_cut(json.loads(self._text), name))
        return self._cuts[name]


def _written(document: Mapping[str, JsonValue]) -> str:
    return json.dumps(dict(document), separators=(",", ":"))


def _named(document: Any) -> Iterator[str]:
    yield from document["declared"]
    for level in document["levels"]:
        yield from level["rules_of"]
        yield from level["arguments"]


def _cut(document: Any, action: str) -> dict[str, JsonValue]:
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


def _level(level: Any, read: set[str], moved: Mapping[int, int]) -> dict[str, JsonValue]:
    rules_of = {
        name: [moved[place] for place in it] for name, it in level["rules_of"].items() if name in read
    }
    arguments = {name: it for name, it in level["arguments"].items() if name in read}
    return {**level, "rules_of": rules_of, "arguments": arguments}
