"""What everything that crosses a process boundary is made of.

Models carry no free text: strings are closed enums or the named patterns below, so a workflow history
holds ids, digests, numbers and references only. A test walks every model that reaches Temporal.
"""

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

DIGEST_PATTERN = r"^sha256:[0-9a-f]{64}$"
ARTIFACT_PATTERN = r"^(raw|conversation|passages|facts|draft|card|reason|bundle|history|edit)_[0-9a-f]{64}$"
ROUTE_PATTERN = r"^[0-9a-f]{32}$"
MESSAGE_PATTERN = r"^msg_[0-9a-f]{32}$"
RECORD_PATTERN = r"^(ticket|order|payment|card|principal|note|customer)_[0-9a-f]{24}$"
EFFECT_PATTERN = r"^eff_[0-9a-f]{40}$"
DECISION_PATTERN = r"^dec_[0-9a-f]{40}$"
APPROVAL_PATTERN = r"^apr_[0-9a-f]{32}$"
CODE_PATTERN = r"^[a-z][a-z0-9_.]{0,63}$"
CURRENCY_PATTERN = r"^[A-Z]{3}$"
VERSION_PATTERN = r"^[a-z0-9][a-z0-9.-]{0,31}$"

NAMED_PATTERNS = frozenset(
    {
        DIGEST_PATTERN,
        ARTIFACT_PATTERN,
        ROUTE_PATTERN,
        MESSAGE_PATTERN,
        RECORD_PATTERN,
        EFFECT_PATTERN,
        DECISION_PATTERN,
        APPROVAL_PATTERN,
        CODE_PATTERN,
        CURRENCY_PATTERN,
        VERSION_PATTERN,
    }
)

Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN, max_length=71)]
# An encrypted blob outside history: its kind and a digest keyed with the ticket key.
ArtifactRef = Annotated[str, StringConstraints(pattern=ARTIFACT_PATTERN, max_length=80)]
# HMAC(tenant routing secret, source + external ticket id): one route is one ticket.
RouteKey = Annotated[str, StringConstraints(pattern=ROUTE_PATTERN, max_length=32)]
# HMAC of the external id of one message.
MessageKey = Annotated[str, StringConstraints(pattern=MESSAGE_PATTERN, max_length=36)]
# HMAC of an id in a customer system. The vault knows the real one.
RecordId = Annotated[str, StringConstraints(pattern=RECORD_PATTERN, max_length=34)]
EffectKey = Annotated[str, StringConstraints(pattern=EFFECT_PATTERN, max_length=44)]
DecisionId = Annotated[str, StringConstraints(pattern=DECISION_PATTERN, max_length=44)]
ApprovalId = Annotated[str, StringConstraints(pattern=APPROVAL_PATTERN, max_length=36)]
# A word from a closed registry of the tenant (intents, queues, tags, rules, groups), never from a text.
Code = Annotated[str, StringConstraints(pattern=CODE_PATTERN, max_length=64)]
Currency = Annotated[str, StringConstraints(pattern=CURRENCY_PATTERN, max_length=3)]
Version = Annotated[str, StringConstraints(pattern=VERSION_PATTERN, max_length=32)]


class Model(BaseModel):
    """Frozen, closed and validated; new fields need defaults, so that old histories still load."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def canonical_json(model: BaseModel) -> bytes:
    """Sorted JSON without nulls, so that a new optional field changes no digest made before it."""
    content = model.model_dump(mode="json", exclude_none=True)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(*models: BaseModel) -> Digest:
    """SHA-256 over the canonical form of `models`, in their order."""
    return "sha256:" + hashlib.sha256(b"\n".join(map(canonical_json, models))).hexdigest()
