"""Amounts are exact or they are nothing."""

from decimal import Decimal

import pytest

from domain.amount import amount_over, minor_units, total
from domain.errors import NotWholeMinorUnits
from domain.fact import Money


def eur(units: int) -> Money:
    return Money(minor_units=units, currency="EUR")


FACTS: dict[str, object] = {
    "refund.total": eur(4990),
    "fee.total": eur(500),
    "charge.total": Money(minor_units=100, currency="USD"),
    "order.status": "pending",
    "count": 3,
}


@pytest.mark.parametrize(
    ("written", "units"),
    [("49.90", 4990), ("0", 0), ("0.01", 1), ("-52.03", -5203), ("1E+3", 100_000), ("6710.990", 671_099)],
)
def test_digits_become_minor_units(written: str, units: int) -> None:
    assert minor_units(Decimal(written)) == units


@pytest.mark.parametrize("written", ["0.005", "NaN", "Infinity", "-Infinity", "49.901"])
def test_what_is_no_whole_cent_is_refused(written: str) -> None:
    with pytest.raises(NotWholeMinorUnits):
        minor_units(Decimal(written))


def test_a_float_that_was_computed_is_refused_rather_than_rounded() -> None:
    with pytest.raises(NotWholeMinorUnits):
        minor_units(Decimal(0.1 + 0.2))


def test_amounts_of_one_currency_add_up() -> None:
    assert total([eur(1), eur(-3)]) == eur(-2)
    assert total([eur(1), Money(minor_units=1, currency="USD")]) is None
    assert total([]) is None


@pytest.mark.parametrize(
    ("plus", "minus", "expected"),
    [
        (("refund.total",), (), eur(4990)),
        (("refund.total", "fee.total"), (), eur(5490)),
        (("refund.total",), ("fee.total",), eur(4490)),
        (("fee.total",), ("refund.total",), eur(-4490)),
        (("fee.total",), ("fee.total",), eur(0)),
        (("refund.total",), ("charge.total",), None),
        (("refund.total",), ("unknown",), None),
        (("order.status",), (), None),
        (("count",), (), None),
        ((), ("refund.total",), eur(-4990)),
        ((), (), None),
    ],
)
def test_an_amount_is_a_sum_of_facts_less_others(
    plus: tuple[str, ...], minus: tuple[str, ...], expected: Money | None
) -> None:
    assert amount_over(FACTS, plus, minus) == expected
