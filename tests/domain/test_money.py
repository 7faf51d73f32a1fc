"""Money as people read it, who may be about to approve it."""

import pytest

from domain.fact import Money


@pytest.mark.parametrize(
    ("minor_units", "currency", "read"),
    [
        (4990, "EUR", "49.90 EUR"),
        (5, "EUR", "0.05 EUR"),
        (0, "EUR", "0.00 EUR"),
        (100, "USD", "1.00 USD"),
        (-5, "EUR", "-0.05 EUR"),
        (-100, "EUR", "-1.00 EUR"),
        (-4990, "EUR", "-49.90 EUR"),
        (5000, "JPY", "5000 JPY"),
        (0, "JPY", "0 JPY"),
        (-7, "KRW", "-7 KRW"),
        (12345, "KWD", "12.345 KWD"),
        (5, "TND", "0.005 TND"),
        (2**70, "EUR", "11805916207174113034.24 EUR"),
    ],
)
def test_amount_is_read_with_the_decimals_of_its_currency(minor_units: int, currency: str, read: str) -> None:
    assert str(Money(minor_units=minor_units, currency=currency)) == read
