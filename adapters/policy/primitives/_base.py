"""What every primitive is."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import ClassVar, Literal, Protocol

from pydantic import JsonValue, RootModel

from adapters.policy.conditions import Fields
from domain.counting import Counter, Per
from domain.decision import Verdict

__all__ = ["Asked", "Counter", "Found", "Json", "Per", "Primitive", "Stated"]

Json = Mapping[str, JsonValue]
Found = tuple[Verdict, str]


class Asked(StrEnum):
    """What a primitive says where it does not simply allow."""

    APPROVAL_NEEDED = "approval_needed"
    DENY = "deny"


class Stated(RootModel[Literal[True]]):
    """A primitive that is written `true` and has nothing more to say."""

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """True."""
        return True


class Primitive(Protocol):
    """A part of a rule. It finds something about an action that its rule matches."""

    grants: ClassVar[bool]  # whether what it finds can cover an action that nothing else allows
    says: ClassVar[Mapping[str, str]]  # each code as a sentence; names in braces come from `words`

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:
        """What engines read. Raises `ValueError`."""
        ...

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:
        """The plain-Python meaning of what `compiled` gave: everything it finds."""
        ...
