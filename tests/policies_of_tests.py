"""Engines that answer what a test says, and ask for counters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.in_memory import ScriptedEngine
from adapters.in_memory.minds import version_of
from domain.counting import Counter
from domain.decision import EngineAnswer, Obligations, PolicyInput, Reason, Verdict


@dataclass
class Counted:
    counters: tuple[Counter, ...]

    def counters_of(self, action: str) -> Sequence[Counter]:
        return [counter for counter in self.counters if counter.action == action]


class CountingEngine(ScriptedEngine):
    """Its policy asks for counters."""

    def __init__(
        self, script: Callable[[PolicyInput], EngineAnswer], *counters: Counter, name: str = "counting"
    ) -> None:
        super().__init__(script)
        self.version = version_of(name)
        self.policy = Counted(counters)


class FarAway:
    """Stands for an engine in another process."""

    version = version_of("far away")

    def __init__(self, *answers: EngineAnswer) -> None:
        self.answers = answers
        self.asked: list[Sequence[PolicyInput]] = []

    def decide(self, input_: PolicyInput) -> EngineAnswer:
        del input_
        raise AssertionError("it would stop the loop")

    async def decide_plan(self, inputs: Sequence[PolicyInput]) -> Sequence[EngineAnswer]:
        self.asked.append(inputs)
        return self.answers


class OutOfReach(FarAway):
    async def decide_plan(self, inputs: Sequence[PolicyInput]) -> Sequence[EngineAnswer]:
        del inputs
        raise ConnectionError


def answer(verdict: Verdict, obligations: Obligations | None = None) -> EngineAnswer:
    return EngineAnswer(verdict=verdict, reasons=(Reason(rule="any", code="said"),), obligations=obligations)
