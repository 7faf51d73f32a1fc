"""`require_approval`: a person says yes first; who, how many, how long, and what silence means."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field, JsonValue, model_validator

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Found, Json
from adapters.policy.written import Duration
from domain.conversation import TextModel
from domain.decision import LONGEST_EXPIRY_S, OnTimeout, Verdict
from domain.model import Code


class Rung(TextModel):
    """Who may answer too, once nobody has answered for so long."""

    after: Duration = Field(ge=60, le=LONGEST_EXPIRY_S)
    approver_groups: tuple[Code, ...] = Field(min_length=1)


class Terms(TextModel):
    """Who is asked, how many of them, for how long. Silence is never a yes."""

    approver_groups: tuple[Code, ...] = Field(min_length=1)
    quorum: int = Field(1, ge=1, le=10)
    expires_in: Duration = Field(86400, ge=60, le=LONGEST_EXPIRY_S)
    on_timeout: OnTimeout = OnTimeout.HAND_OVER
    forbid_self: bool = True
    remind_every: Duration | None = Field(None, ge=60, le=LONGEST_EXPIRY_S)
    ladder: tuple[Rung, ...] | None = Field(None, min_length=1, max_length=5)

    def obligations(self) -> dict[str, JsonValue]:
        """As `domain.decision.Obligations` has them."""
        terms: dict[str, JsonValue] = {
            "approver_groups": [*sorted(set(self.approver_groups))],
            "quorum": self.quorum,
            "expires_in_s": self.expires_in,
            "on_timeout": self.on_timeout.value,
            "forbid_self": self.forbid_self,
        }
        if self.remind_every is not None:
            terms["remind_every_s"] = self.remind_every
        if self.ladder is not None:
            rungs = sorted(self.ladder, key=lambda rung: rung.after)
            terms["ladder"] = [
                {"after_s": rung.after, "approver_groups": [*sorted(set(rung.approver_groups))]}
                for rung in rungs
            ]
        return terms


class RequireApproval(TextModel):
    """Terms of its own, or `{}` for those of the file."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {"approval_required": "Policy wants a person to approve this action"}

    terms: Terms | None = None

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, written: Any) -> Any:
        return (
            {"terms": written}
            if isinstance(written, dict) and written and "terms" not in written
            else written
        )

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """The terms, empty for those of the file."""
        return self.terms.obligations() if self.terms else {}

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:  # noqa: ARG004 - the protocol
        """Always."""
        yield Verdict.APPROVAL_NEEDED, "approval_required"
