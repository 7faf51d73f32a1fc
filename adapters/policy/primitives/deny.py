"""`deny: true`: what the rule matches is never done."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import JsonValue

from adapters.policy.primitives._base import Found, Json, Stated
from domain.decision import Verdict


class Deny(Stated):
    """Forbids."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {"denied": "Policy denies this action"}

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:  # noqa: ARG004 - the protocol
        """Always."""
        yield Verdict.DENY, "denied"
