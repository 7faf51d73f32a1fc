"""`require`: facts that must be true, such as delivered, identity verified, consent given."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import JsonValue, RootModel, model_validator

from adapters.policy.conditions import Condition, Fields
from adapters.policy.fields import FieldType
from adapters.policy.primitives._base import Asked, Eased, Found, Json, softer
from adapters.policy.stricter_conditions import holds_only_where
from adapters.policy.suggestion import perhaps
from adapters.policy.truth import truth
from domain.conversation import TextModel
from domain.decision import Verdict
from domain.model import Code


class Requirement(TextModel):
    """One fact: a flag by its name, or a condition. `code` is the reason given where it is not true."""

    fact: str | None = None
    condition: Condition | None = None
    code: Code
    otherwise: Asked = Asked.DENY

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.fact is None) == (self.condition is None):
            raise ValueError("must have either fact or condition")
        return self

    @property
    def as_condition(self) -> Condition:
        """A fact is a flag that equals true."""
        return self.condition or Condition.model_validate({"field": self.fact, "equals": True})


class Require(RootModel[tuple[Requirement, ...]]):
    """All of them. What is missing is not true."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {}

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """Raises `ValueError` where a fact is no flag."""
        for requirement in self.root:
            if requirement.fact is not None and fields.types.get(requirement.fact) is not FieldType.FLAG:
                flags = [name for name, kind in fields.types.items() if kind is FieldType.FLAG]
                near = perhaps(requirement.fact, flags)
                raise ValueError(f"{requirement.fact!r} is not a flag of the input{near}")
        return [
            {
                "code": requirement.code,
                "otherwise": requirement.otherwise.value,
                "when": requirement.as_condition.clauses(fields),  # type: ignore[dict-item]  # JSON
            }
            for requirement in self.root
        ]

    @staticmethod
    def find(check: Any, document: Json) -> Iterator[Found]:
        """One finding for each that is not true."""
        for requirement in check:
            if truth(requirement["when"], document)[0] is not True:
                yield Verdict(requirement["otherwise"]), requirement["code"]

    @staticmethod
    def eased(before: Any, after: Any, action: str) -> Iterator[Eased]:  # noqa: ARG004 - the protocol
        """A fact that need not be true any more, or whose absence is answered milder."""
        for fact in before:
            if not any(_as_strict(fact, other) for other in after):
                yield Eased(f"require no longer asks the same for {fact['code']!r}", proven=False)


def _as_strict(before: Any, after: Any) -> bool:
    """Not true, or unknown, wherever the other is, and answered no milder."""
    milder = any(softer("require", before["otherwise"], after["otherwise"]))
    return not milder and holds_only_where(after["when"], before["when"])
