"""`action_allowlist`: these actions and no other, where the rule applies; `"*"` is every declared action."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import JsonValue, RootModel

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Eased, Found, Json
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
        listed = _lists(check, at(document, "action", "type"))
        yield (Verdict.ALLOW, "action_listed") if listed else (Verdict.DENY, "action_not_listed")

    @staticmethod
    def eased(before: JsonValue, after: JsonValue, action: str) -> Iterator[Eased]:
        """The action is listed, and was not."""
        if _lists(after, action) and not _lists(before, action):
            yield Eased(f"action_allowlist also lists {action!r}")


def _lists(check: JsonValue, action: str) -> bool:
    return isinstance(check, list) and ("*" in check or action in check)
