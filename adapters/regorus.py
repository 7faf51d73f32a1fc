"""Decides with Rego in this process. Whatever goes wrong in the engine is an answer: deny.

A native engine belongs to the thread that made it: used elsewhere it panics, and freed elsewhere it leaks. So
engines live in one registry that never ends, outside reference cycles; what callers hold only names a bundle.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from threading import get_ident

import regorus
from pydantic import JsonValue

from adapters.policy.answered import read
from adapters.policy.bundle import library
from adapters.policy.effective import Effective
from adapters.policy.words import denial
from domain.decision import EngineAnswer, PolicyInput
from domain.errors import BundleRefused
from domain.model import Digest

ANSWER = "data.countersign.decision.answer"
CAPACITY = 256  # engines of 0.2 MB
ENGINE_FAILED = denial("default", "engine_failed")


class EngineUnusable(Exception):
    """The native engine panicked, answered nothing, or is not on its own thread."""

    def __init__(self) -> None:
        super().__init__("The policy engine cannot answer")


class RegorusEngine:
    """The `PolicyEngine` port for one compiled policy."""

    def __init__(self, policy: Effective) -> None:
        self.version: Digest = policy.version
        self.policy = policy
        self._document: Mapping[str, JsonValue] = policy.document

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        """Never raises."""
        return self.decide_document(input_.model_dump_json(exclude_none=True))

    def decide_document(self, document: str) -> EngineAnswer:
        """The same for a stored input, which may lack what a newer version asks for."""
        try:
            return read(_ENGINES.evaluate(self.version, self._document, document), self.policy, document)
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


class _Engines:
    """Parsed once, cloned per bundle; the least recently used are dropped here, on their own thread."""

    def __init__(self) -> None:
        self._thread: int | None = None
        self._base: regorus.Engine | None = None
        self._by_version: OrderedDict[Digest, regorus.Engine] = OrderedDict()

    def evaluate(self, version: Digest, policy: Mapping[str, JsonValue], document: str) -> str:
        """The answer as JSON. Raises `EngineUnusable`."""
        if self._thread is None:
            self._thread = get_ident()
        if self._thread != get_ident():
            raise EngineUnusable
        try:
            return self._ask(self._engine(version, policy), document)
        except BaseException as error:
            # A panic of the native engine is a BaseException that has no name to import.
            if type(error).__name__ != "PanicException":
                raise
            self._by_version.pop(version, None)
            raise EngineUnusable from None

    def _ask(self, engine: regorus.Engine, document: str) -> str:
        engine.set_input_json(document)
        answered = engine.eval_rule_as_json(ANSWER)
        if not isinstance(answered, str):
            raise EngineUnusable
        return answered

    def _engine(self, version: Digest, policy: Mapping[str, JsonValue]) -> regorus.Engine:
        if version not in self._by_version:
            engine = self._parsed().clone()
            engine.add_data_json(json.dumps({"bundle": policy}))
            self._by_version[version] = engine
        self._by_version.move_to_end(version)
        if len(self._by_version) > CAPACITY:
            self._by_version.popitem(last=False)
        return self._by_version[version]

    def _parsed(self) -> regorus.Engine:
        if self._base is None:
            self._base = regorus.Engine()
            self._base.add_policy("countersign.rego", library())
        return self._base


_ENGINES = _Engines()
