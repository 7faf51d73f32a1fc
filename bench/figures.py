"""What was measured in a phase, and what it means beside the other kind of phase. No I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

APP, TEMPORAL, POSTGRES, EMULATORS = "app", "Temporal", "Postgres", "emulators"


@dataclass(frozen=True)
class TicketFigures:
    """One ticket, from its webhook to its last run's end."""

    to_draft_s: float
    to_end_s: float
    events: int  # of the run that answered
    bytes: int
    all_events: int  # of every run of the ticket
    all_bytes: int


@dataclass(frozen=True)
class PhaseFigures:
    """One worker's tickets."""

    seconds: float
    cpu_s: Mapping[str, float]
    memory_mib: Mapping[str, float]
    tickets: Sequence[TicketFigures]

    @property
    def rate(self) -> float:
        """Tickets per second."""
        return len(self.tickets) / self.seconds

    def cpu_ms(self, *parts: str) -> float:
        """Per ticket."""
        return 1000 * sum(self.cpu_s[part] for part in parts) / len(self.tickets)

    def to_draft_ms(self, percent: int) -> float:
        """From the webhook's receipt to the end of the draft step."""
        return 1000 * percentile([ticket.to_draft_s for ticket in self.tickets], percent)

    def to_end_ms(self, percent: int) -> float:
        """From the webhook's receipt to the end of the run that answered."""
        return 1000 * percentile([ticket.to_end_s for ticket in self.tickets], percent)


@dataclass(frozen=True)
class Row:
    """A figure of both kinds, and its ratio in each round."""

    name: str
    ticket: float
    no_op: float
    ratios: Sequence[float]
    digits: int = 0

    @property
    def ratio(self) -> float:
        """Neighbours in time are compared, so a machine that gets busy in between does not count."""
        return median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest ratio of a round."""
        return min(self.ratios), max(self.ratios)


Figure = Callable[[PhaseFigures], float]
FIGURES: Sequence[tuple[str, int, Figure]] = (
    ("tickets/s", 1, lambda phase: phase.rate),
    ("webhook → draft, P50 ms", 0, lambda phase: phase.to_draft_ms(50)),
    ("webhook → draft, P95 ms", 0, lambda phase: phase.to_draft_ms(95)),
    ("webhook → end, P50 ms", 0, lambda phase: phase.to_end_ms(50)),
    ("webhook → end, P95 ms", 0, lambda phase: phase.to_end_ms(95)),
    ("CPU ms, app (doors, worker, redaction)", 0, lambda phase: phase.cpu_ms(APP)),
    ("CPU ms, Temporal", 0, lambda phase: phase.cpu_ms(TEMPORAL)),
    ("CPU ms, Postgres", 0, lambda phase: phase.cpu_ms(POSTGRES)),
    ("**CPU ms, all three**", 0, lambda phase: phase.cpu_ms(APP, TEMPORAL, POSTGRES)),
    ("CPU ms, emulators (not in the sum)", 0, lambda phase: phase.cpu_ms(EMULATORS)),
    ("history events, the answered turn", 0, lambda phase: mean(t.events for t in phase.tickets)),
    ("history kB, the answered turn", 1, lambda phase: mean(t.bytes for t in phase.tickets) / 1000),
    ("history events, later runs included", 0, lambda phase: mean(t.all_events for t in phase.tickets)),
    ("history kB, later runs included", 1, lambda phase: mean(t.all_bytes for t in phase.tickets) / 1000),
    ("memory MiB, app", 0, lambda phase: phase.memory_mib[APP]),
    ("memory MiB, Temporal", 0, lambda phase: phase.memory_mib[TEMPORAL]),
    ("memory MiB, Postgres", 0, lambda phase: phase.memory_mib[POSTGRES]),
)


def rows_of(rounds: Sequence[tuple[PhaseFigures, PhaseFigures]]) -> Sequence[Row]:
    """From rounds of (no-op, ticket)."""
    return [_row(name, digits, figure, rounds) for name, digits, figure in FIGURES]


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least so many percent do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]


def _row(name: str, digits: int, figure: Figure, rounds: Sequence[tuple[PhaseFigures, PhaseFigures]]) -> Row:
    pairs = [(figure(no_op), figure(ticket)) for no_op, ticket in rounds]
    return Row(
        name=name,
        digits=digits,
        no_op=median(no_op for no_op, _ in pairs),
        ticket=median(ticket for _, ticket in pairs),
        ratios=[ticket / no_op if no_op else float("nan") for no_op, ticket in pairs],
    )
