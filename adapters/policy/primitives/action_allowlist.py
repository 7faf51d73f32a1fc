"""`action_allowlist`: these actions and no other, where the rule applies; `"*"` is every declared action."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import JsonValue, RootModel

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Found, Json
from adapters.policy.reading import at
from domain.decision import Verdict
from domain.model import Code


class ActionAllowlist(RootModel[tuple[Code | Literal["*"], ...]]):
    """A list of words."""

    grants: ClassVar[bool] = True
    says: ClassVar[Mapping[str, str]] = {
        "action_listed": "Policy lists this action",
        "action_not_listed": "The action is not on the list of what may be done",
    }

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """The words in one order."""
        return [*sorted(set(self.root))]

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:
        """Listed or not."""
        listed = isinstance(check, list) and ("*" in check or at(document, "action", "type") in check)
        yield (Verdict.ALLOW, "action_listed") if listed else (Verdict.DENY, "action_not_listed")
