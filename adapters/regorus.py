"""Decides with Rego in this process. Whatever goes wrong in the engine is an answer: deny.

One native engine answers for all policies: each question brings what its policy says about the action
(docs/decisions/0014). The engine belongs to the thread that made it: used elsewhere it panics, and freed
elsewhere it leaks. So each thread has its own, out of everybody's reach; what callers hold are documents.
"""

import json
import threading

import regorus
from pydantic import JsonValue

from adapters.policy.answered import read_about
from adapters.policy.bundle import POLICIES, library
from adapters.policy.effective import Effective
from adapters.policy.kept import KeptPolicy
from adapters.policy.words import denial
from domain.decision import EngineAnswer, PolicyInput
from domain.errors import BundleRefused
from domain.model import Digest

ANSWER = "data.countersign.decision.asked_answer"
NOTHING = '{"policy":{},"asked":{}}'
ENGINE_FAILED = denial("default", "engine_failed")


class EngineUnusable(Exception):
    """The native engine panicked or answered nothing."""

    def __init__(self) -> None:
        super().__init__("The policy engine cannot answer")


class RegorusEngine:
    """The `PolicyEngine` port for one compiled policy."""

    def __init__(self, policy: Effective) -> None:
        self.version: Digest = policy.version
        self.policy = KeptPolicy(policy)

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        """Never raises."""
        return self.decide_document(input_.model_dump_json(exclude_none=True))

    def decide_document(self, document: str) -> EngineAnswer:
        """The same for a stored input, which may lack what a newer version asks for."""
        try:
            # Only what Python reads as one JSON value is put between other words for the engine.
            asked: JsonValue = json.loads(document)
            asked = asked if isinstance(asked, dict) else {}
            policy = self.policy.about(_action(asked))
            found = _engines().answer(f'{{"policy":{policy},"asked":{document}}}')
            return read_about(found, json.loads(policy), asked)
        except Exception:  # noqa: BLE001 - fail closed: no failure of an engine may become anything but a denial
            return ENGINE_FAILED


def load(policy: Effective) -> RegorusEngine:
    """An engine that has answered once for every declared action. Raises `BundleRefused` where it cannot."""
    engine = RegorusEngine(policy)
    declared = policy.document["declared"]
    for action in declared if isinstance(declared, dict) else ():
        document = json.dumps({"action": {"type": action}})
        if engine.decide_document(document) == ENGINE_FAILED:
            raise BundleRefused("the engine cannot evaluate it")
    return engine


def _action(asked: dict[str, JsonValue]) -> JsonValue:
    action = asked.get("action")
    return action.get("type") if isinstance(action, dict) else None


class _Engines:
    """Of one thread: the engine that answers, and one that is only prepared, of which the next is a clone."""

    def __init__(self) -> None:
        self._prepared: regorus.Engine | None = None
        self._answering: regorus.Engine | None = None

    def answer(self, question: str) -> str:
        """Both are JSON. Raises `EngineUnusable`, and whatever else the engine raises."""
        if self._answering is None:
            self._answering = self._new()
        try:
            return _ask(self._answering, question)
        except BaseException as error:
            # What failed halfway may keep the policy it was asked about.
            self._answering = None
            # A panic of the native engine is a BaseException that has no name to import.
            if type(error).__name__ != "PanicException":
                raise
            raise EngineUnusable from None

    def _new(self) -> regorus.Engine:
        if self._prepared is None:
            self._prepared = regorus.Engine()
            self._prepared.add_policy("countersign.rego", _library_asked())
            _ask(self._prepared, NOTHING)
        return self._prepared.clone()


def _ask(engine: regorus.Engine, question: str) -> str:
    engine.set_input_json(question)
    answered = engine.eval_rule_as_json(ANSWER)
    if not isinstance(answered, str) or not answered.startswith("{"):  # undefined is a word in quotes
        raise EngineUnusable
    return answered


def _library_asked() -> str:
    return library() + "\n" + (POLICIES / "regorus" / "asked.rego").read_text(encoding="utf-8")


def _engines() -> _Engines:
    engines: _Engines | None = getattr(_OF_THREAD, "engines", None)
    if engines is None:
        engines = _OF_THREAD.engines = _Engines()
    return engines


_OF_THREAD = threading.local()
