"""A policy bundle: a readable file of amounts and verdicts, compiled to the data of the Rego library.

Amounts are written as people read them ("50.00") and compiled to minor units. The version of a policy is the
SHA-256 of its published form, which has the data and the digest of the Rego library.
"""

import hashlib
import json
import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    JsonValue,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from domain.conversation import TextModel
from domain.decision import Obligations, OnTimeout
from domain.knowledge import KnowledgeZone
from domain.model import Code, Digest

POLICIES = Path(__file__).parent.parent / "policies"
STARTER = POLICIES / "starter.json"
AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{2})?")


def _minor_units(text: object) -> int:
    if not isinstance(text, str) or not AMOUNT.fullmatch(text):
        raise ValueError('must look like "50.00"')
    return int(text.replace(".", "")) if "." in text else int(text) * 100


def _as_written(minor_units: int) -> str:
    return f"{minor_units // 100}.{minor_units % 100:02d}"


# Written "50.00" or "50", held as 5000. A JSON number is refused: 50 could mean cents to the next reader.
Amount = Annotated[int, BeforeValidator(_minor_units), PlainSerializer(_as_written)]


class BundleCurrency(StrEnum):
    """Currencies with two decimals, so that an amount means the same in each."""

    AUD = "AUD"
    CAD = "CAD"
    CHF = "CHF"
    CZK = "CZK"
    DKK = "DKK"
    EUR = "EUR"
    GBP = "GBP"
    NOK = "NOK"
    NZD = "NZD"
    PLN = "PLN"
    SEK = "SEK"
    USD = "USD"


class ListedVerdict(StrEnum):
    """Verdicts that a file can give directly."""

    ALLOW = "allow"
    APPROVAL_NEEDED = "approval_needed"
    DENY = "deny"


class OtherAction(StrEnum):
    """Actions whose arguments policy does not look at."""

    PRIVATE_NOTE = "private_note"
    SET_STATUS = "set_status"
    ADD_TAGS = "add_tags"
    SLACK_POST = "slack_post"
    SLACK_UPDATE = "slack_update"
    SLACK_EPHEMERAL = "slack_ephemeral"


class RefundLimits(TextModel):
    """Up to where a refund goes out by itself, and up to where a person may let it out."""

    allow_up_to: Amount
    approval_up_to: Amount
    currencies: tuple[BundleCurrency, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.approval_up_to < self.allow_up_to:
            raise ValueError("approval_up_to must not be less than allow_up_to")
        return self


class ReplyZones(TextModel):
    """Which knowledge a public reply may rest on."""

    zones: dict[KnowledgeZone, ListedVerdict]


class LadderRung(TextModel):
    """Who may answer too, once nobody has answered for so long."""

    after_s: int = Field(ge=60, le=90 * 86400)
    approver_groups: tuple[Code, ...] = Field(min_length=1)


class ApprovalTerms(TextModel):
    """Who is asked, how many of them, for how long."""

    approver_groups: tuple[Code, ...] = Field(min_length=1)
    quorum: int = Field(1, ge=1, le=10)
    expires_in_s: int = Field(86400, ge=60, le=90 * 86400)
    on_timeout: OnTimeout = OnTimeout.HAND_OVER
    forbid_self: bool = True
    remind_every_s: int | None = Field(None, ge=60, le=90 * 86400)
    ladder: tuple[LadderRung, ...] | None = Field(None, min_length=1, max_length=5)

    def obligations(self) -> Obligations:
        """What a decision that needs approval carries."""
        return Obligations.model_validate(self.model_dump(mode="json"))

    @model_serializer(mode="wrap")
    def _as_published(self, handler: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        """What a file does not say is not in its version either: older policies keep theirs."""
        written: dict[str, JsonValue] = handler(self)
        return {name: value for name, value in written.items() if value is not None}


class Bundle(TextModel):
    """A whole policy. An action that is not named is denied."""

    schema_version: Literal[1]
    name: Code
    refund: RefundLimits | None = None
    reply: ReplyZones | None = None
    other_actions: dict[OtherAction, ListedVerdict] = Field(default_factory=dict)
    approval: ApprovalTerms

    def compiled(self) -> dict[str, JsonValue]:
        """The `bundle` document that the library and the plain evaluator read."""
        listed: dict[str, JsonValue] = {
            name.value: verdict.value for name, verdict in self.other_actions.items()
        }
        by_rule: dict[str, JsonValue] = {
            name: "by_rule" for name in ("refund", "reply") if getattr(self, name) is not None
        }
        return {
            "actions": {**listed, **by_rule},
            "approval": self.approval.obligations().model_dump(mode="json", exclude_none=True),
            "refund": _compiled_limits(self.refund),
            "reply": self.reply.model_dump(mode="json") if self.reply else {},
        }

    def published(self) -> str:
        """Canonical JSON with the library's digest: what is stored and what the version names."""
        document = {
            "bundle": self.model_dump(mode="json"),
            "library": _digest(b"\n".join(library().values())),
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":"))

    @property
    def version(self) -> Digest:
        """Changes whenever an answer could."""
        return _digest(self.published().encode())


@lru_cache(maxsize=1)
def library() -> dict[str, bytes]:
    """The Rego files that decide, by name; tests are no part of a policy."""
    files = sorted((POLICIES / "library").glob("*.rego"))
    return {file.name: file.read_bytes() for file in files if not file.name.endswith("_test.rego")}


def _digest(content: bytes) -> Digest:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _compiled_limits(limits: RefundLimits | None) -> dict[str, JsonValue]:
    if limits is None:
        return {}
    return {
        "allow_up_to": limits.allow_up_to,
        "approval_up_to": limits.approval_up_to,
        "currencies": [currency.value for currency in limits.currencies],
    }
