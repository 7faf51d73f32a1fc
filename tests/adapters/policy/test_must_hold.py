"""A rule marked `must_hold` is named where it may stop granting or objecting."""

from typing import Any

import pytest

from adapters.policy.bundle import Level
from adapters.policy.must_hold import silenced
from tests.adapters.policy.deciding import policy
from tests.adapters.policy.stricter_rows import CREDIT, GRANT, REFUNDS, TURNS, limits, on, replies

LESS = "it may no longer object wherever it did"
MARK = {"must_hold": True}
Rules = list[dict[str, Any]]


def told(before: Rules, after: Rules) -> list[str]:
    found = silenced({Level.TENANT: policy(before)}, {Level.TENANT: policy(after)})
    return [each.sentence.removeprefix("Rule 'rule_0' of the tenant must hold: ") for each in found]


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        pytest.param(
            [MARK | GRANT],
            [MARK | on(TURNS, allow=True)],
            ["it may no longer grant all that it granted"],
            id="grants less",
        ),
        pytest.param(
            [MARK | REFUNDS],
            [MARK | limits("20.00", "400.00")],
            ["it may no longer grant all that it granted"],
            id="grants up to less",
        ),
        pytest.param([MARK | replies(deny=True)], [GRANT], [LESS], id="objects no more"),
        pytest.param(
            [MARK | REFUNDS],
            [MARK | limits("60.00")],
            [LESS],
            id="objects later",
        ),
        pytest.param(
            [MARK | REFUNDS],
            [],
            [
                LESS,
                "it may no longer grant all that it granted",
            ],
            id="gone",
        ),
        pytest.param([MARK | REFUNDS], [{"id": "renamed", **MARK, **REFUNDS}], [], id="renamed"),
        pytest.param([MARK | REFUNDS, GRANT], [MARK | REFUNDS], [], id="another rule is gone"),
        pytest.param([REFUNDS], [], [], id="not marked"),
    ],
)
async def test_rule_that_must_hold_is_named_where_it_may_not(
    before: Rules, after: Rules, sentences: list[str]
) -> None:
    assert told(before, after) == sentences


async def test_rule_that_must_hold_is_named_where_its_action_or_its_level_is_gone() -> None:
    rule = {"id": "credits", **MARK, "when": {"actions": ["give_credit"]}, "allow": True}
    before = {Level.ORGANISATION: policy([rule], actions={"give_credit": CREDIT})}
    everything = policy([{"action_allowlist": ["*"]}])

    [gone] = silenced(before, {Level.TENANT: everything})
    unknown = silenced(before, {Level.ORGANISATION: everything})

    assert (gone.rule, gone.sentence) == (
        "organisation.credits",
        "Rule 'credits' of the organisation must hold: its level is gone",
    )
    assert [each.sentence.partition(": ")[2] for each in unknown] == [
        "action 'give_credit' is not known any more"
    ]
