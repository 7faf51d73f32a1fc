"""How people write amounts and durations in a policy."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{2})?")
DURATION = re.compile(r"([0-9]{1,6})(s|min|h|d)")
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def _minor_units(text: object) -> int:
    if not isinstance(text, str) or not AMOUNT.fullmatch(text):
        raise ValueError('must look like "50.00", in quotes')
    return int(text.replace(".", "")) if "." in text else int(text) * 100


def as_amount(minor_units: int) -> str:
    """5000 as people write it: 50.00."""
    return f"{minor_units // 100}.{minor_units % 100:02d}"


def _seconds(text: object) -> int:
    found = DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('must look like "90s", "30min", "24h" or "30d"')
    return int(found[1]) * SECONDS[found[2]]


def as_duration(seconds: int) -> str:
    """86400 as people write it: 1d."""
    unit = next(name for name in ("d", "h", "min", "s") if seconds % SECONDS[name] == 0)
    return f"{seconds // SECONDS[unit]}{unit}"


# Written "50.00" or "50", held as 5000. A bare number is refused: 50 could mean cents to the next reader.
Amount = Annotated[int, BeforeValidator(_minor_units), PlainSerializer(as_amount)]
# Written "24h", held as seconds.
Duration = Annotated[int, BeforeValidator(_seconds), PlainSerializer(as_duration)]


class BundleCurrency(StrEnum):
    """Currencies with two decimals, so that an amount means the same in each."""

    AUD = "AUD"
    CAD = "CAD"
    CHF = "CHF"
    CZK = "CZK"
    DKK = "DKK"
    EUR = "EUR"
    GBP = "GBP"
    NOK = "NOK"
    NZD = "NZD"
    PLN = "PLN"
    SEK = "SEK"
    USD = "USD"


def _known_currency(written: object) -> object:
    if written not in BundleCurrency.__members__:
        raise ValueError(f"is not one of the currencies with two decimals: {', '.join(BundleCurrency)}")
    return written


Amounts = Annotated[
    dict[Annotated[BundleCurrency, BeforeValidator(_known_currency)], Amount], Field(min_length=1)
]


def by_currency(amounts: Mapping[BundleCurrency, int]) -> dict[str, int]:
    """For engines."""
    return {currency.value: amount for currency, amount in amounts.items()}
