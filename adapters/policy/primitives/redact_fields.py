"""`redact_fields`: these kinds of personal data do not leave with the action."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import JsonValue, RootModel

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Eased, Found, Json
from domain.decision import Verdict
from domain.model import Code


class RedactFields(RootModel[tuple[Code, ...]]):
    """A list of words."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {
        "fields_redacted": "Personal data is taken out before this leaves",
    }

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """The words in one order."""
        return [*sorted(set(self.root))]

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:  # noqa: ARG004 - the protocol
        """Always, unless there is nothing to take out."""
        if check:
            yield Verdict.SANITIZE, "fields_redacted"

    @staticmethod
    def eased(before: JsonValue, after: JsonValue, action: str) -> Iterator[Eased]:  # noqa: ARG004 - the protocol
        """Fewer kinds of data."""
        kept = {str(word) for word in after} if isinstance(after, list) else set()
        gone = [str(word) for word in before if str(word) not in kept] if isinstance(before, list) else []
        yield from (Eased(f"redact_fields no longer takes out {word!r}") for word in gone)
