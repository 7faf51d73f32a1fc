"""The arithmetic of the benchmark."""

from collections.abc import Mapping

import pytest

from bench.figures import (
    APP,
    EMULATORS,
    POSTGRES,
    TEMPORAL,
    PhaseFigures,
    Row,
    TicketFigures,
    percentile,
    rows_of,
)


def _ticket(to_draft_s: float = 0.2) -> TicketFigures:
    return TicketFigures(to_draft_s, to_end_s=0.5, events=40, bytes=12_000, all_events=50, all_bytes=14_000)


def _phase(app_cpu_s: float = 1.0, seconds: float = 5.0) -> PhaseFigures:
    return PhaseFigures(
        seconds=seconds,
        cpu_s={APP: app_cpu_s, TEMPORAL: 0.5, POSTGRES: 0.1, EMULATORS: 9.0},
        memory_mib={APP: 200.0, TEMPORAL: 300.0, POSTGRES: 80.0},
        tickets=[_ticket() for _ in range(10)],
    )


def _rows(*rounds: tuple[PhaseFigures, PhaseFigures]) -> Mapping[str, Row]:
    return {row.name: row for row in rows_of(rounds)}


@pytest.mark.parametrize(
    ("percent", "expected", "note"),
    [
        (50, 3, "the middle one of five"),
        (95, 5, "of so few the largest"),
        (20, 1, "exactly the first fifth"),
        (21, 2, "one more than that"),
    ],
)
def test_a_percentile_is_one_of_the_values(percent: int, expected: int, note: str) -> None:
    assert percentile([5, 1, 4, 2, 3], percent) == expected, note


def test_cpu_time_is_told_per_ticket_and_without_the_emulators() -> None:
    rows = _rows((_phase(), _phase()))

    assert rows["CPU ms, Postgres"].ticket == pytest.approx(10)
    assert rows["**CPU ms, all three**"].ticket == pytest.approx(160)


def test_each_round_is_compared_with_itself() -> None:
    quiet, busy = (_phase(1.0), _phase(2.0)), (_phase(10.0), _phase(20.0))

    row = _rows(quiet, busy)["CPU ms, app (doors, worker, redaction)"]

    assert (row.ratio, row.spread) == (2.0, (2.0, 2.0))


def test_one_wild_round_does_not_decide_the_ratio() -> None:
    wild, others = (_phase(1.0), _phase(50.0)), [(_phase(1.0), _phase(2.0))] * 2

    row = _rows(wild, *others)["CPU ms, app (doors, worker, redaction)"]

    assert (row.ratio, row.spread) == (2.0, (2.0, 50.0))


def test_the_rate_counts_whole_tickets() -> None:
    assert _phase(seconds=4.0).rate == pytest.approx(2.5)
