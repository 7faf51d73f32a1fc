"""Reads what a Rego engine answered with the library."""

import json

from pydantic import BaseModel, ConfigDict

from adapters.policy.effective import Effective
from adapters.policy.words import answer
from domain.decision import EngineAnswer, Reason, Verdict


class Answered(BaseModel):
    """`data.countersign.decision.answer`."""

    model_config = ConfigDict(extra="ignore")

    verdict: Verdict
    reasons: tuple[Reason, ...]
    redacted: tuple[str, ...]


def read(found: str, policy: Effective, document: str) -> EngineAnswer:
    """Both are JSON. Raises `ValueError` for anything but an answer."""
    answered = Answered.model_validate_json(found)
    return answer(
        answered.verdict,
        answered.reasons,
        redacted=frozenset(answered.redacted),
        policy=policy.document,
        document=json.loads(document),
    )
