"""What every primitive is."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import ClassVar, NamedTuple, Protocol

from pydantic import JsonValue

from adapters.policy.conditions import Fields
from domain.decision import Verdict

Json = Mapping[str, JsonValue]
Found = tuple[Verdict, str]


class Asked(StrEnum):
    """What a primitive says where it does not simply allow."""

    APPROVAL_NEEDED = "approval_needed"
    DENY = "deny"


class Per(StrEnum):
    """Whose actions a counter counts."""

    CUSTOMER = "customer"
    TICKET = "ticket"
    ORDER = "order"
    TENANT = "tenant"


class Counter(NamedTuple):
    """What must be counted before a decision: actions of a type in the last `within_s` seconds."""

    action: str
    per: Per
    within_s: int

    @property
    def key(self) -> str:
        """Its name in the input's `counters`."""
        return f"{self.action}.{self.per.value}.{self.within_s}"


class Primitive(Protocol):
    """A part of a rule. It finds something about an action that its rule matches."""

    grants: ClassVar[bool]  # whether what it finds can cover an action that nothing else allows
    says: ClassVar[Mapping[str, str]]  # each code as a sentence; names in braces come from `words`

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:
        """What engines read. Raises `ValueError`."""
        ...


class Reader(Protocol):
    """The plain-Python meaning of a compiled primitive."""

    def __call__(self, check: JsonValue, document: Json) -> Iterator[Found]:
        """Everything it finds."""
        ...
