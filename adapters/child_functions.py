"""What the children of the pool can do: take personal data out of texts and say what they are about."""

from collections.abc import Callable
from functools import cache
from typing import Any

from adapters.presidio.redaction import RedactionEngine, redact_call, redact_text_call
from adapters.triage.model import classify_call
from adapters.triage.taxonomy import starter_taxonomy


@cache
def _redaction() -> RedactionEngine:
    return RedactionEngine()


def redact(argument: Any) -> Any:
    """`Redactor.redact`."""
    return redact_call(_redaction(), argument)


def redact_text(argument: Any) -> Any:
    """`Redactor.redact_text`."""
    return redact_text_call(_redaction(), argument)


def classify(argument: Any) -> Any:
    """`Classifier.classify`."""
    return classify_call(argument)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "redact": redact,
    "redact_text": redact_text,
    "classify": classify,
}


def warm() -> None:
    """Compiles every expression and learns the starter taxonomy before the first ticket waits for it."""
    redact_text({"text": "Hello, I am Ada Example and my order #AB-1234 has not arrived.", "known": {}})
    classify({"text": "Where is my order?", "taxonomy": starter_taxonomy().model_dump(mode="json")})
