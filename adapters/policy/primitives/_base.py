"""What every primitive is."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import ClassVar, Literal, NamedTuple, Protocol

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


class Eased(NamedTuple):
    """What a change makes milder, or cannot be shown not to; in words that follow a rule's name."""

    what: str
    proven: bool = True


def changed_at_all(before: JsonValue, after: JsonValue, action: str) -> Iterator[Eased]:  # noqa: ARG001
    """How a primitive without `eased` is compared: equal, or not shown to be as strict."""
    if before != after:
        yield Eased("it says something else", proven=False)


def listed_besides(before: JsonValue, after: JsonValue, name: str) -> Iterator[Eased]:
    """What a list of what may be has besides."""
    known = {str(word) for word in before} if isinstance(before, list) else set()
    more = [str(word) for word in after if str(word) not in known] if isinstance(after, list) else []
    yield from (Eased(f"{name} also lists {word!r}") for word in more)


def softer(name: str, before: str, after: str) -> Iterator[Eased]:
    """A person is asked where the answer was no."""
    if (before, after) == (Asked.DENY.value, Asked.APPROVAL_NEEDED.value):
        yield Eased(f"{name} asks a person where it denied")


class Stated(RootModel[Literal[True]]):
    """A primitive that is written `true` and has nothing more to say."""

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """True."""
        return True


class Primitive(Protocol):
    """A part of a rule. It finds something about an action that its rule matches.

    It may have a static method `eased(before, after, action)` beside these, which compares two of what
    `compiled` gave: nothing where for every input of the action `after` finds something at least as strict
    and grants nothing that `before` does not. Without it, `changed_at_all` compares.
    """

    grants: ClassVar[bool]  # whether what it finds can cover an action that nothing else allows
    says: ClassVar[Mapping[str, str]]  # each code as a sentence; names in braces come from `words`

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:
        """What engines read. Raises `ValueError`."""
        ...

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:
        """The plain-Python meaning of what `compiled` gave: everything it finds."""
        ...
