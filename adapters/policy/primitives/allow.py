"""`allow: true`: what the rule matches may be done, unless another rule objects."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import JsonValue

from adapters.policy.primitives._base import Found, Json, Stated
from domain.decision import Verdict


class Allow(Stated):
    """Grants."""

    grants: ClassVar[bool] = True
    says: ClassVar[Mapping[str, str]] = {"allowed": "Policy allows this action"}

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:  # noqa: ARG004 - the protocol
        """Always."""
        yield Verdict.ALLOW, "allowed"
