"""`allow: true`: what the rule matches may be done, unless another rule objects."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import JsonValue, RootModel

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Found, Json
from domain.decision import Verdict


class Allow(RootModel[Literal[True]]):
    """Grants."""

    grants: ClassVar[bool] = True
    says: ClassVar[Mapping[str, str]] = {"allowed": "Policy allows this action"}

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """Nothing to say."""
        return True


def find(check: JsonValue, document: Json) -> Iterator[Found]:  # noqa: ARG001 - the protocol
    """Always."""
    yield Verdict.ALLOW, "allowed"
