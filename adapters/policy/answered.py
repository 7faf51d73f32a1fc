"""Reads what a Rego engine answered with the library."""

import json

from pydantic import BaseModel, ConfigDict

from adapters.policy.effective import Effective
from adapters.policy.reading import Json
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
    return read_about(found, policy.document, json.loads(document))


def read_about(found: str, policy: Json, asked: Json) -> EngineAnswer:
    """The same for what is parsed; of the policy, what is about the action is enough. Raises `ValueError`."""
    answered = Answered.model_validate_json(found)
    return answer(
        answered.verdict,
        answered.reasons,
        redacted=frozenset(answered.redacted),
        policy=policy,
        document=asked,
    )
