"""The child's side of `adapters.policy.smoke`."""

import json
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from adapters.policy.coverage import without
from adapters.policy.effective import Effective, read_effective
from adapters.policy.plain import PlainEngine
from adapters.policy.situations import places_about, situations
from adapters.policy.tables import DocumentEngine
from adapters.regorus import ENGINE_FAILED, RegorusEngine

MEMORY_BYTES = 512 * 1024**2  # on top of what the interpreter and its libraries map
Engines = Callable[[Effective], DocumentEngine]
LONGEST_ANSWER_S = 0.25  # of CPU; a usual answer takes a thousandth of it


def smoke(argument: Any) -> Any:
    """`{"content": …}` → the sentence that says what is wrong, or None."""
    return wrong_with(read_effective(argument["content"]))


def wrong_with(policy: Effective, rego: Engines = RegorusEngine, plain: Engines = PlainEngine) -> str | None:
    """The first situation that an engine cannot answer, answers too late, or that both answer differently."""
    engines = rego(policy), plain(policy)
    engines[0].decide_document("{}")  # building the engine is no part of an answer
    for tried in situations(policy):
        began = time.process_time()
        wrong = _wrong(engines, tried.document)
        if wrong is not None:
            culprit = _culprit(policy, tried.document, (rego, plain)) or tried.rule
            return f"rule {culprit!r}: {wrong}"
        if time.process_time() - began > LONGEST_ANSWER_S:
            return (
                f"rule {tried.rule!r}: an answer takes too long; have fewer or simpler rules about an action"
            )
    return None


def _wrong(engines: Sequence[DocumentEngine], document: str) -> str | None:
    try:
        answers = [engine.decide_document(document) for engine in engines]
    except Exception as error:  # noqa: BLE001 - whatever a policy provokes is a reason to refuse it
        return f"it cannot be evaluated ({type(error).__name__})"
    if ENGINE_FAILED in answers:
        return "the engine gives no answer; is one of its patterns too large?"
    return None if answers[0] == answers[1] else "the engines answer differently"


def _culprit(policy: Effective, document: str, engines: Sequence[Engines]) -> str | None:
    """The rule without which the same input is answered: all rules about an action are evaluated together."""
    rules: Any = policy.document["rules"]
    for place in places_about(policy, json.loads(document)["action"]["type"]):
        weakened = without(policy, place)
        if _wrong([make(weakened) for make in engines], document) is None:
            return str(rules[place]["id"])
    return None


STATM = Path("/proc/self/statm")
PAGES_ELSEWHERE = 2**20  # where no kernel tells, for development

FUNCTIONS: dict[str, Callable[[Any], Any]] = {"smoke": smoke}


def warm() -> None:
    """From here on memory is bounded; what takes more dies here and not in its parent."""
    most = _mapped_bytes() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _mapped_bytes() -> int:
    pages = STATM.read_text(encoding="ascii").split()[0] if STATM.exists() else str(PAGES_ELSEWHERE)
    return int(pages) * resource.getpagesize()
