"""Decisions while policies change: none is lost, and the table says what they waited for."""

import random
from uuid import UUID

from bench.policy_reload import Waits, measured, rows_of
from bench.policy_tenants import proposed

TENANTS = 30


async def test_every_decision_is_made_whatever_changes_beside_it() -> None:
    dice = random.Random(0)  # noqa: S311 - the same on every run
    wanted = [(UUID(int=number), proposed(number, dice)) for number in dice.choices(range(1, TENANTS), k=100)]

    waits = await measured(wanted, TENANTS)

    assert [len(each) for each in (waits.undisturbed, waits.one_tenant, waits.organisation)] == [100] * 3
    assert min(waits.undisturbed) > 0


def test_rows_compare_each_round_with_itself() -> None:
    rounds = [Waits([1_000_000], [2_000_000], [3_000_000]), Waits([2_000_000], [8_000_000], [2_000_000])]

    ratios = [list(row.ratios) for row in rows_of(rounds)]

    assert ratios == [[2, 4], [2, 4], [3, 1], [3, 1]]
