"""`deny: true`: what the rule matches is never done."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import JsonValue, RootModel

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Found, Json
from domain.decision import Verdict


class Deny(RootModel[Literal[True]]):
    """Forbids."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {"denied": "Policy denies this action"}

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """Nothing to say."""
        return True


def find(check: JsonValue, document: Json) -> Iterator[Found]:  # noqa: ARG001 - the protocol
    """Always."""
    yield Verdict.DENY, "denied"
