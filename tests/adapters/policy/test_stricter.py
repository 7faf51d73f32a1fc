"""What a change makes milder is named; what it makes stricter, or only says otherwise, is shown to be so."""

from time import process_time
from typing import Any

import pytest

from adapters.policy.bundle import Bundle, Level
from adapters.policy.file import parse
from adapters.policy.stricter import Kind, Loosening, loosened
from adapters.policy.tables import PACKS, pack
from tests.adapters.policy.deciding import policy
from tests.adapters.policy.stricter_rows import (
    AGENTS,
    ASK,
    CREDIT,
    EQUAL,
    GRANT,
    MILDER,
    OUTSIDE,
    REFUNDS,
    STRICTER,
    TERMS,
    TURNS,
    UNSURE,
    Rules,
    limits,
    on,
)


def change(before: Bundle, after: Bundle) -> tuple[Loosening, ...]:
    return loosened({Level.TENANT: before}, {Level.TENANT: after})


@pytest.mark.parametrize(("before", "after"), [row[1:] for row in STRICTER], ids=[row[0] for row in STRICTER])
async def test_stricter_rules_are_shown_to_be_so(before: Rules, after: Rules) -> None:
    assert change(policy(before), policy(after)) == ()
    assert change(policy(before), policy(before)) == ()
    assert change(policy(after), policy(before)) != ()


@pytest.mark.parametrize(("before", "after"), [row[1:] for row in EQUAL], ids=[row[0] for row in EQUAL])
async def test_what_means_the_same_is_no_loosening_in_either_direction(before: Rules, after: Rules) -> None:
    assert change(policy(before), policy(after)) == change(policy(after), policy(before)) == ()


@pytest.mark.parametrize(("before", "after", "kind", "sentence"), MILDER, ids=[row[3] for row in MILDER])
async def test_milder_rules_are_named_with_a_sentence(
    before: Rules, after: Rules, kind: Kind, sentence: str
) -> None:
    found = change(policy(before), policy(after))

    assert any(each.kind is kind and sentence in each.sentence and each.rule for each in found), found
    assert change(policy(after), policy(after)) == ()


@pytest.mark.parametrize(("before", "after", "kind", "sentence"), OUTSIDE, ids=[row[3] for row in OUTSIDE])
async def test_what_is_milder_outside_of_rules_is_named(
    before: dict[str, Any], after: dict[str, Any], kind: Kind, sentence: str
) -> None:
    found = change(policy([ASK], **before), policy([ASK], **after))

    assert any(each.kind is kind and sentence in each.sentence for each in found), found


async def test_name_that_reasons_of_the_library_have_is_not_shown_to_be_strict() -> None:
    """No file can have one any more; a policy that was stored before can."""
    before = policy([GRANT])
    named = before.rules[0].model_copy(update={"id": "default"})

    [found] = change(before, before.model_copy(update={"rules": (*before.rules, named)}))

    assert found.kind is UNSURE
    assert "it has a name that reasons of the library have" in found.sentence


async def test_harder_terms_and_fewer_agents_are_shown_to_be_stricter() -> None:
    harder = {
        **TERMS, "approver_groups": ["leads"], "quorum": 3, "expires_in": "1h", "on_timeout": "reject",
        "remind_every": "10min",
    }  # fmt: skip
    before = policy([ASK], approval=TERMS, agents=AGENTS, default="approval_needed")
    after = policy(
        [ASK], approval=harder, agents={"lead": {**AGENTS["lead"], "actions": ["reply"]}}, max_chain=2
    )

    assert change(before, after) == ()


def credit(**changes: Any) -> Bundle:
    rule = {"when": {"actions": ["give_credit"]}, "allow": True}
    facts = {"order.paid": "amount", "order.fee": "amount"}
    return policy([rule], facts=facts, actions={"give_credit": {**CREDIT, **changes}})


def arguments(**changes: Any) -> dict[str, Any]:
    kept = {**CREDIT["arguments"], **changes}
    return {"arguments": {name: each for name, each in kept.items() if each is not None}}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"band": "low"}, "the band of 'give_credit' falls from medium to low"),
        ({"amount": {"sum": ["order.paid"]}}, "the amount of 'give_credit' is computed in another way"),
        (arguments(text={"type": "word"}), "argument 'text' of 'give_credit' is new"),
        (arguments(count=None), "argument 'count' of 'give_credit' is no longer wanted"),
        (arguments(count={"type": "integer", "least": 0, "most": 3}), "may be less"),
        (arguments(count={"type": "integer", "least": 1}), "may be more"),
        (arguments(count={"type": "id"}), "has another type"),
        (arguments(reason={"type": "word"}), "argument 'reason' of 'give_credit' may have other values"),
        (arguments(reason={"type": "word", "values": ["late", "other"]}), "may have other values"),
        (
            arguments(count={"type": "integer", "least": 1, "most": 3, "optional": True}),
            "argument 'count' of 'give_credit' may be left out",
        ),
    ],
)
async def test_milder_declarations_of_an_action_are_named(changes: dict[str, Any], sentence: str) -> None:
    found = change(credit(), credit(**changes))

    assert any(sentence in each.sentence for each in found), found


async def test_stricter_declarations_of_an_action_are_shown_to_be_so() -> None:
    narrower = arguments(
        notify=None,
        reason={"type": "word", "values": ["late"]},
        count={"type": "integer", "least": 2, "most": 3},
    )

    assert change(credit(), credit(band="high", **narrower)) == ()


async def test_band_that_rises_is_a_loosening_where_a_rule_reads_bands() -> None:
    def read(band: str) -> Bundle:
        return policy([{"when": {"bands": ["low"]}, "deny": True}], actions={"give_credit": {"band": band}})

    (found,) = change(read("low"), read("high"))

    assert (found.kind, found.sentence) == (
        UNSURE,
        "The tenant's policy: the band of 'give_credit' goes from low to high",
    )


async def test_new_action_is_a_loosening_only_where_something_grants_it() -> None:
    without, listed = policy([GRANT]), policy([{"action_allowlist": ["*"]}])
    with_it = {"actions": {"give_credit": CREDIT}}

    assert change(without, policy([GRANT], **with_it)) == ()
    (found,) = change(listed, policy([{"action_allowlist": ["*"]}], **with_it))
    assert found.sentence == "The tenant's policy: action 'give_credit' is new and may be done"


async def test_level_that_is_added_is_stricter_and_one_that_is_gone_is_not() -> None:
    tenant, organisation = policy([GRANT]), policy([{"action_allowlist": ["*"]}, on(TURNS, deny=True)])
    alone, both = {Level.TENANT: tenant}, {Level.TENANT: tenant, Level.ORGANISATION: organisation}

    assert loosened(alone, both) == ()
    assert [each.sentence for each in loosened(both, alone)] == ["The organisation's policy: it is gone"]
    assert loosened(both, {}) == ()
    assert loosened({}, both)


async def test_borrowed_approvers_are_compared_where_another_level_lends_them() -> None:
    ask = policy([ASK], approval=None)
    lends = policy([{"action_allowlist": ["*"]}], approval=TERMS)
    lends_less = policy([{"action_allowlist": ["*"]}], approval={**TERMS, "quorum": 1})

    found = loosened(
        {Level.TENANT: ask, Level.ORGANISATION: lends}, {Level.TENANT: ask, Level.ORGANISATION: lends_less}
    )

    assert "The tenant's policy: approval.quorum falls from 2 to 1" in [each.sentence for each in found]


async def test_first_terms_of_a_rule_turn_a_no_into_a_question() -> None:
    nobody = policy([GRANT], approval=None)
    named = policy([GRANT, on(TURNS, require_approval=TERMS)], approval=None)

    assert [each.rule for each in change(nobody, named)] == ["rule_1"]


async def test_rule_of_the_organisation_is_named_with_its_level() -> None:
    before, after = ({Level.ORGANISATION: policy([each])} for each in (REFUNDS, limits("60.00")))

    (found,) = loosened(before, after)

    assert found == Loosening(
        level=Level.ORGANISATION,
        rule="organisation.rule_0",
        kind=Kind.PROVEN,
        sentence="Rule 'rule_0' of the organisation: threshold.allow_up_to.EUR rises from 50.00 to 60.00",
    )


@pytest.mark.parametrize("name", sorted(path.name for path in PACKS.iterdir()))
async def test_starter_packs_are_as_strict_as_themselves(name: str) -> None:
    written = pack(name).read_text(encoding="utf-8")

    assert change(parse(written), parse(written)) == ()


def many(limit: int) -> Bundle:
    rules = [
        {
            "when": {"condition": {"field": "ticket.turn", "at_most": number}},
            "threshold": {"allow_up_to": {"EUR": f"{limit + number}.00"}},
        }
        for number in range(400)
    ]
    return policy(rules)


async def test_large_policies_are_compared_within_bounds_and_nothing_is_claimed_beyond() -> None:
    before, after = many(500), many(400)
    renamed = after.model_copy(
        update={"rules": tuple(rule.model_copy(update={"id": f"other_{rule.id}"}) for rule in after.rules)}
    )
    began = process_time()

    assert change(before, after) == ()
    assert {each.kind for each in change(before, renamed)} == {UNSURE}
    assert change(after, before)
    assert process_time() - began < 30
