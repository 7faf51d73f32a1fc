"""The child's side of `adapters.policy.smoke`."""

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.policy.effective import Effective, read_effective
from adapters.policy.plain import PlainEngine
from adapters.policy.situations import situations
from adapters.regorus import ENGINE_FAILED, RegorusEngine

MEMORY_BYTES = 512 * 1024**2  # on top of what the interpreter and its libraries map
LONGEST_ANSWER_S = 0.25  # of CPU; a usual answer takes a thousandth of it


def smoke(argument: Any) -> Any:
    """`{"content": …}` → the sentence that says what is wrong, or None."""
    return wrong_with(read_effective(argument["content"]))


def wrong_with(policy: Effective, rego: Any = None, plain: Any = None) -> str | None:
    """The first situation that an engine cannot answer, answers too late, or that both answer differently."""
    rego, plain = rego or RegorusEngine(policy), plain or PlainEngine(policy)
    rego.decide_document("{}")  # building the engine is no part of an answer
    for rule, document in situations(policy):
        began = time.process_time()
        try:
            answers = rego.decide_document(document), plain.decide_document(document)
        except Exception as error:  # noqa: BLE001 - whatever a policy provokes is a reason to refuse it
            return f"rule {rule!r}: it cannot be evaluated ({type(error).__name__})"
        if ENGINE_FAILED in answers:
            return f"rule {rule!r}: the engine gives no answer; is one of its patterns too large?"
        if answers[0] != answers[1]:
            return f"rule {rule!r}: the engines answer differently"
        if time.process_time() - began > LONGEST_ANSWER_S:
            return f"rule {rule!r}: an answer takes too long; split the policy or make its patterns simpler"
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
