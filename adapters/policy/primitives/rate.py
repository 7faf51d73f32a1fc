"""`rate`: so many actions in a window, by themselves."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field, JsonValue

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Asked, Counter, Eased, Found, Json, Per, softer
from adapters.policy.reading import at, counted, word
from adapters.policy.written import Duration
from domain.conversation import TextModel
from domain.decision import Verdict


class Rate(TextModel):
    """At most so many in a window, this one included."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {
        "counter_missing": "It is not known how often this was done before",
        "rate_exceeded": "This was done too often lately",
    }

    at_most: int = Field(ge=0, le=1_000_000)
    per: Per
    within: Duration = Field(ge=60, le=366 * 86400)
    above: Asked = Asked.DENY

    def counters(self, actions: tuple[str, ...]) -> tuple[Counter, ...]:
        """What must be counted."""
        return tuple(Counter(action, self.per, self.within) for action in actions)

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """Raises `ValueError` where it is not said what is counted."""
        if not actions:
            raise ValueError("a rate needs when.actions: what is counted")
        counters: dict[str, JsonValue] = {each.action: each.key for each in self.counters(actions)}
        return {"at_most": self.at_most, "above": self.above.value, "counters": counters}

    @staticmethod
    def find(check: Any, document: Json) -> Iterator[Found]:
        """Nothing below the limit."""
        counter = str(check["counters"].get(word(at(document, "action", "type"))))
        count = counted(at(document, "counters", counter, "count"))
        if count is None:
            yield Verdict.DENY, "counter_missing"
        elif count + 1 > check["at_most"]:
            yield Verdict(check["above"]), "rate_exceeded"

    @staticmethod
    def eased(before: Any, after: Any, action: str) -> Iterator[Eased]:
        """A higher limit, a milder answer above it, or another count."""
        if before["counters"].get(action) != after["counters"].get(action):
            yield Eased("rate counts other actions", proven=False)
        if after["at_most"] > before["at_most"]:
            yield Eased(f"rate.at_most rises from {before['at_most']} to {after['at_most']}")
        yield from softer("rate", before["above"], after["above"])
