"""`channel_allowlist`: only into these channels (`public`, `internal`, or a named channel of the tenant)."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import JsonValue, RootModel

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Eased, Found, Json, listed_besides
from adapters.policy.reading import at, word
from domain.decision import Verdict
from domain.model import Code


class ChannelAllowlist(RootModel[tuple[Code, ...]]):
    """A list of words."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {
        "channel_not_listed": "The channel is not on the list of where this may be said",
    }

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """The words in one order."""
        return [*sorted(set(self.root))]

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:
        """Nothing where the channel is listed."""
        places = {word(at(document, "channel")), word(at(document, "action", "destination"))}
        if not isinstance(check, list) or places.isdisjoint(check):
            yield Verdict.DENY, "channel_not_listed"

    @staticmethod
    def eased(before: JsonValue, after: JsonValue, action: str) -> Iterator[Eased]:  # noqa: ARG004 - the protocol
        """More channels."""
        yield from listed_besides(before, after, "channel_allowlist")
