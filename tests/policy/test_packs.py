"""Starter packs: every rule decides some row of their tables, and their approvals reach somebody."""

import json
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from adapters.policy.bundle import Bundle
from adapters.policy.effective import Effective, alone
from adapters.policy.file import parse
from adapters.policy.plain import PlainEngine
from adapters.policy.tables import PACKS, Table, changed, pack, run, tables
from adapters.regorus import load
from domain.decision import EngineAnswer, OnTimeout, Rung, Verdict

NAMES = sorted(each.name for each in PACKS.iterdir() if each.is_dir())


def read(name: str) -> Bundle:
    return parse(pack(name).read_text(encoding="utf-8"))


def tables_of(name: str) -> list[Table]:
    return [table for _, table in tables(PACKS / name / "tests") if table.bundle == name]


def rules() -> Iterator[tuple[str, str]]:
    for name in NAMES:
        for rule in read(name).rules:
            yield name, rule.id


@pytest.mark.parametrize(("name", "rule"), [*rules()])
def test_each_rule_of_a_pack_decides_some_row(name: str, rule: str) -> None:
    bundle = read(name)
    weakened = bundle.model_copy(update={"rules": tuple(each for each in bundle.rules if each.id != rule)})

    failed = [
        outcome.note
        for table in tables_of(name)
        for outcome in run(table, lambda _: PlainEngine(alone(weakened)))
        if outcome.failure
    ]

    assert failed


def test_tables_of_all_packs_have_names_of_their_own() -> None:
    names = [name for name, _ in tables()]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", NAMES)
def test_a_pack_without_rules_denies_every_row_but_what_nobody_needs_to_grant(name: str) -> None:
    emptied = alone(read(name).model_copy(update={"rules": ()}))

    for table in tables_of(name):
        for row in table.rows:
            document = json.dumps(changed(table.input, row.set))
            assert PlainEngine(emptied).decide_document(document).verdict is Verdict.DENY


def retail(table: str, changes: dict[str, JsonValue]) -> EngineAnswer:
    policy: Effective = alone(read("retail"))
    document = json.dumps(changed(dict(tables(PACKS / "retail" / "tests"))[table].input, changes))
    plain = PlainEngine(policy).decide_document(document)
    assert load(policy).decide_document(document) == plain
    return plain


def test_a_larger_refund_climbs_the_ladder() -> None:
    asked = retail("retail_refunds", {"action.amount.minor_units": 12000}).obligations

    assert asked is not None
    assert (asked.approver_groups, asked.quorum) == (("account_security", "support_leads"), 1)
    assert (asked.expires_in_s, asked.remind_every_s) == (86400, 7200)
    assert asked.on_timeout is OnTimeout.HAND_OVER
    assert asked.ladder == (
        Rung(after_s=4 * 3600, approver_groups=("shift_leads",)),
        Rung(after_s=12 * 3600, approver_groups=("operations",)),
    )


@pytest.mark.parametrize("mode", ["automate", "assist"])
def test_an_account_changes_hands_with_two_of_its_security_people(mode: str) -> None:
    action: JsonValue = {"type": "change_account_owner", "arguments": {"account": "a1", "new_owner": "c2"}}

    asked = retail("retail_accounts", {"action": action, "mode": mode}).obligations

    assert asked is not None
    assert (asked.approver_groups, asked.quorum, asked.ladder) == (("account_security",), 2, None)
    assert asked.on_timeout is OnTimeout.REJECT


def test_sentences_name_limit_and_window() -> None:
    before: JsonValue = {"refund.customer.2592000": {"count": 2, "amounts": {"EUR": 10001}}}

    said = retail("retail_refunds", {"counters": before}).messages

    assert said == ("Above 150.00 EUR per customer in 30d a person must approve",)
