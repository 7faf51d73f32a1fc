"""`purpose`: data is used for these purposes only."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import JsonValue, RootModel

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Eased, Found, Json, listed_besides
from adapters.policy.reading import at
from domain.decision import Purpose, Verdict


class PurposeList(RootModel[tuple[Purpose, ...]]):
    """A list of words."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {
        "purpose_missing": "It is not known what the data is used for",
        "purpose_not_listed": "The data may not be used for this purpose",
    }

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """The words in one order."""
        return [*sorted(set(self.root))]

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:
        """Nothing where the purpose is listed."""
        purpose = at(document, "purpose")
        if not isinstance(purpose, str):
            yield Verdict.DENY, "purpose_missing"
        elif not isinstance(check, list) or purpose not in check:
            yield Verdict.DENY, "purpose_not_listed"

    @staticmethod
    def eased(before: JsonValue, after: JsonValue, action: str) -> Iterator[Eased]:  # noqa: ARG004 - the protocol
        """More purposes."""
        yield from listed_besides(before, after, "purpose")
