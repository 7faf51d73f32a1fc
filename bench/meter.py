"""CPU time and memory of process trees, the dead included as far as their parents waited for them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil

MIB = 1024 * 1024


@dataclass(frozen=True)
class Part:
    """Process trees that are counted together."""

    name: str
    pids: tuple[int, ...]

    def cpu_s(self) -> float:
        """User and system time until now."""
        return sum(_cpu_s(process) for process in self._processes())

    def memory_mib(self) -> float:
        """Resident now, pages that processes share divided among them where the system can tell."""
        return sum(_memory(process) for process in self._processes()) / MIB

    def _processes(self) -> Iterator[psutil.Process]:
        for pid in self.pids:
            root = psutil.Process(pid)
            yield root
            yield from root.children(recursive=True)


@dataclass(frozen=True)
class CpuMeter:
    """Reads every part twice."""

    parts: tuple[Part, ...]
    started: Mapping[str, float]

    @classmethod
    def start(cls, parts: tuple[Part, ...]) -> "CpuMeter":
        """From now on."""
        return cls(parts, {part.name: part.cpu_s() for part in parts})

    def seconds(self) -> Mapping[str, float]:
        """Since the start, by part."""
        return {part.name: part.cpu_s() - self.started[part.name] for part in self.parts}


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    reaped = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + reaped)


def _memory(process: psutil.Process) -> float:
    try:
        info = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
    return float(getattr(info, "pss", info.rss))
