"""Amounts, exactly: from what other systems write, and as sums over facts."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from domain.errors import NotWholeMinorUnits
from domain.fact import Money

MINOR_DIGITS = 2  # of every currency that a policy may name


def minor_units(amount: Decimal) -> int:
    """49.90 as 4990. Never give it a float that was computed: read the document's digits as `Decimal`."""
    if not amount.is_finite():
        raise NotWholeMinorUnits
    units = amount.scaleb(MINOR_DIGITS)
    if units != units.to_integral_value():
        raise NotWholeMinorUnits
    return int(units)


def total(amounts: Iterable[Money]) -> Money | None:
    """None for no amount at all, and where currencies differ: there is no rate we could stand for."""
    listed = [*amounts]
    if len({amount.currency for amount in listed}) != 1:
        return None
    return Money(minor_units=sum(each.minor_units for each in listed), currency=listed[0].currency)


def negated(amount: Money) -> Money:
    """What goes the other way."""
    return Money(minor_units=-amount.minor_units, currency=amount.currency)


def amount_over(facts: Mapping[str, object], plus: Iterable[str], minus: Iterable[str] = ()) -> Money | None:
    """The amount of a declared action: some facts, less others.

    None where a fact is missing, is no amount, or has another currency: policy then finds no amount.
    """
    added, taken = [facts.get(name) for name in plus], [facts.get(name) for name in minus]
    amounts = [each for each in (*added, *taken) if isinstance(each, Money)]
    if len(amounts) != len(added) + len(taken):
        return None
    signed = [*amounts[: len(added)], *map(negated, amounts[len(added) :])]
    return total(signed)
