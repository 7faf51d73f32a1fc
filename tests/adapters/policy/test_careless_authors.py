"""Mistakes that a file's shape allows: each is refused with its line and what was perhaps meant."""

from typing import Any

import pytest

from adapters.policy.bundle import Bundle, Level
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.first_version import translated
from adapters.policy.lint import FindingCode, Severity, lint
from adapters.policy.stricter import OWN_NAMES
from domain.errors import BundleRefused
from tests.adapters.policy.deciding import asked, codes, decide, policy

FILE = """schema_version: 2
name: written_here
default: deny
approval: {approver_groups: [leads]}
facts: {order.exists: flag, order.status: word}
actions:
  give_credit:
    arguments:
      amount: {type: amount}
      reason: {type: word, values: [late, damaged]}
agents:
  front: {permission_level: execute}
rules:
  - id: credits
    when: {actions: [give_credit]}
"""
LINE = FILE.count("\n") + 1


def refused(rule: str) -> str:
    with pytest.raises(BundleRefused) as refusal:
        parse(f"{FILE}    {rule}\n")
    return str(refusal.value)


def hours(zone: str = "Europe/Berlin", open_: str = 'daily: ["09:00-17:00"]', holidays: str = "[]") -> str:
    return f"hours: {{zone: {zone}, open: {{{open_}}}, holidays: {holidays}}}"


def required(condition: str) -> str:
    return f"require: [{{condition: {{{condition}}}, code: needed}}]"


REFUSED = {
    "day of another country": (hours(holidays='["24.12.2026"]'), 'must be a day such as "2026-12-25"'),
    "day as a number": (hours(holidays="[0]"), 'must be a day such as "2026-12-25"'),
    "day as seconds": (hours(holidays='["1735689600"]'), 'must be a day such as "2026-12-25"'),
    "day with a time": (hours(holidays='["2026-12-25T00:00:00"]'), 'must be a day such as "2026-12-25"'),
    "day that is none": (hours(holidays='["2026-02-30"]'), "hours.holidays.0: "),
    "one day, no list": (hours(holidays="2026-12-25"), "must be a list"),
    "zone in small letters": (hours("europe/berlin"), "(did you mean 'Europe/Berlin'?)"),
    "zone as a distance": (hours('"+01:00"'), "is not a time zone, such as Europe/Berlin"),
    "zone of the machine": (hours("localtime"), "'localtime' is not a time zone"),
    "zone that is none": (hours("Factory"), "'Factory' is not a time zone"),
    "no day at all": (hours(open_=""), "hours.open: "),
    "day twice": (
        hours(open_='weekdays: ["09:00-17:00"], monday: ["10:00-12:00"]'),
        "monday is written twice",
    ),
    "day in short": (hours(open_='mon: ["09:00-17:00"]'), "'mon' is not a day"),
    "hour without a zero": (hours(open_='daily: ["9:00-17:00"]'), 'must look like "09:00-17:30"'),
    "hour beyond the day": (hours(open_='daily: ["09:00-24:30"]'), 'must look like "09:00-17:30"'),
    "no time at all": (hours(open_='daily: ["09:00-09:00"]'), 'must look like "09:00-17:30"'),
    "amount with a comma": ('threshold: {allow_up_to: {EUR: "50,00"}}', 'must look like "50.00", in quotes'),
    "amount as a number": ("threshold: {allow_up_to: {EUR: 50}}", 'must look like "50.00", in quotes'),
    "yen": ('threshold: {allow_up_to: {JPY: "5000"}}', "JPY: is not one of the currencies with two decimals"),
    "currency in small letters": ('threshold: {allow_up_to: {eur: "50.00"}}', "with two decimals: AUD, "),
    "no currency": ("threshold: {allow_up_to: {}}", "allow_up_to: must not be empty"),
    "window of nobody": ('threshold: {allow_up_to: {EUR: "1.00"}, within: 30d}', "per and within belong"),
    "amount misspelt": (
        'threshold: {amount: action.arguments.amont, allow_up_to: {EUR: "1.00"}}',
        "(did you mean 'action.arguments.amount'?)",
    ),
    "primitive misspelt": ("alow: true", "(did you mean 'allow'?)"),
    "primitive left empty": ("allow:", "rules.0.allow: is written and says nothing"),
    "requirement left empty": ("require:", "rules.0.require: is written and says nothing"),
    "denial left empty": ("deny: ~", "rules.0.deny: is written and says nothing"),
    "approval by nobody": ("require_approval: true", "must have words below it"),
    "word of an approval misspelt": (
        "require_approval: {approver_groups: [leads], quorom: 2}",
        "(did you mean 'quorum'?)",
    ),
    "purpose unknown": ("purpose: [curiosity]", "purpose.0: "),
    "region in capitals": ("residency: [EU]", "must be a word of small letters"),
    "fact without its place": (
        "require: [{fact: order.exists, code: unknown}]",
        "(did you mean 'facts.order.exists'?)",
    ),
    "reason left out": ("require: [{fact: consent.given}]", "require.0.code: is missing"),
    "field misspelt": (required("field: ticket.intend, equals: refund"), "(did you mean 'ticket.intent'?)"),
    "bounds turned round": (required("field: ticket.turn, between: [3, 1]"), "the lower one first"),
    "bounds of two currencies": (
        required('field: action.amount, between: [{EUR: "1.00"}, {USD: "2.00"}]'),
        "the lower one first",
    ),
    "limit without currency": (required("field: action.amount, at_most: {}"), "at_most: must not be empty"),
    "limit as a number": (required("field: action.amount, at_most: 50"), 'write {EUR: "50.00"}'),
    "word in a list": (
        required("field: ticket.intent, equals: [refund]"),
        "condition.equals: must be a word",
    ),
    "not to exist": (required("field: purpose, exists: false"), "exists: must be true, or left out"),
    "not to allow": ("allow: false", "allow: must be true, or left out"),
    "window of seconds": ("rate: {at_most: 1, per: ticket, within: 30s}", 'must be from "1min" to "366d"'),
    "window of years": ("rate: {at_most: 1, per: ticket, within: 367d}", 'must be from "1min" to "366d"'),
    "question of seconds": (
        "require_approval: {approver_groups: [leads], expires_in: 59s}",
        'must be from "1min" to "366d"',
    ),
    "limit in the wrong form": (
        required("field: action.amount, at_most: {EUR: 50}"),
        'condition.at_most.EUR: must look like "50.00", in quotes',
    ),
}


@pytest.mark.parametrize(("rule", "sentence"), REFUSED.values(), ids=REFUSED)
def test_mistake_is_refused_with_its_line_and_what_was_perhaps_meant(rule: str, sentence: str) -> None:
    said = refused(rule)

    assert sentence in said
    assert "line " in said


def test_wrong_item_is_said_once() -> None:
    assert refused(hours(holidays='["24.12.2026"]')).count("line ") == 1


LINTED = {
    "kind of data misspelt": ("redact_fields: [emial]", FindingCode.REDACTS_UNKNOWN_KIND),
    "day without hours": (hours(open_="weekdays: []"), FindingCode.HOURS_NEVER_OPEN),
    "listed action misspelt": ("action_allowlist: [give_credits]", FindingCode.ACTION_UNKNOWN),
    "no channel": ("channel_allowlist: []", FindingCode.EMPTY_ALLOWLIST),
    "no purpose": ("purpose: []", FindingCode.EMPTY_ALLOWLIST),
    "no region": ("residency: []", FindingCode.EMPTY_ALLOWLIST),
}


@pytest.mark.parametrize(("rule", "code"), LINTED.values(), ids=LINTED)
def test_mistake_is_an_error_of_the_linter(rule: str, code: FindingCode) -> None:
    found = lint({Level.TENANT: parse(f"{FILE}    {rule}\n")})

    assert code in [each.code for each in found if each.severity is Severity.ERROR]


@pytest.mark.parametrize(
    "condition",
    [
        "field: ticket.priority, equals: hihg",
        "field: ticket.signals, contains_any: [injecton]",
        "field: action.zones, contains_any: [secret]",
    ],
)
def test_word_that_a_field_never_has_is_an_error_of_the_linter(condition: str) -> None:
    written = FILE.replace(
        "when: {actions: [give_credit]}", f"when: {{actions: [give_credit], condition: {{{condition}}}}}"
    )

    found = lint({Level.TENANT: parse(f"{written}    deny: true\n")})

    assert FindingCode.WORD_UNKNOWN in [each.code for each in found]


@pytest.mark.parametrize(
    ("written", "instead", "sentence"),
    [
        ("when: {actions: [give_credit]}", "when: {actions: give_credit}", "when.actions: must be a list"),
        ("when: {actions: [give_credit]}", "when: {action: [give_credit]}", "(did you mean 'actions'?)"),
        ("when: {actions: [give_credit]}", "when:", "rules.0.when: is written and says nothing"),
        ("amount: {type: amount}", f"{'a' * 48}: {{type: amount}}", "must be a word of small letters"),
    ],
)
def test_mistake_beside_rules_is_refused_too(written: str, instead: str, sentence: str) -> None:
    with pytest.raises(BundleRefused) as refusal:
        parse(f"{FILE}    allow: true\n".replace(written, instead))

    assert sentence in str(refusal.value)


@pytest.mark.parametrize("name", sorted(OWN_NAMES))
def test_rule_cannot_have_a_name_that_the_library_gives_as_a_reason(name: str) -> None:
    """In assist mode its approval terms would stand for those of every level."""
    with pytest.raises(BundleRefused) as refusal:
        policy([{"id": name, "allow": True, "require_approval": {"approver_groups": ["friends"]}}])

    assert f"rule {name!r}: the library gives this name as a reason itself" in str(refusal.value)


def test_unquoted_days_and_hours_mean_what_they_say() -> None:
    plain = hours(open_="weekdays: [09:00-17:30], saturday: [22:00-02:00]", holidays="[2026-12-25]")
    quoted = plain.replace("2026-12-25", '"2026-12-25"').replace("09:00-17:30", '"09:00-17:30"')

    assert alone(parse(f"{FILE}    {plain}\n")) == alone(parse(f"{FILE}    {quoted}\n"))


def test_longest_name_of_an_argument_still_fits_its_reason() -> None:
    name = "a" * 47
    bundle = policy([{"allow": True}], actions={"send": {"arguments": {name: {"type": "word"}}}})

    assert codes(decide(bundle, asked("send"))) == [f"argument_missing.{name}"]


def test_policy_of_the_first_version_that_closes_every_zone_still_lets_nothing_cited_out() -> None:
    document: dict[str, Any] = {
        "schema_version": 1,
        "name": "closed",
        "reply": {"zones": {"public": "deny", "internal": "deny"}},
        "approval": {"approver_groups": ["leads"]},
    }
    bundle = Bundle.model_validate(translated(document), strict=False)

    assert codes(decide(bundle, asked(action={"zones": []}))) == ["allowed"]
    for zone in ("public", "internal", "privileged", "elsewhere"):
        assert codes(decide(bundle, asked(action={"zones": [zone]}))) == ["zone_not_covered"]


@pytest.mark.parametrize(
    "changed",
    [
        {"reply": {"zones": {"internal": "approval-needed"}}},
        {"reply": {"zones": {"internal": "denny"}}},
        {"other_actions": {"add_tags": "aprove"}},
        {"approval": {"approver_groups": ["leads"], "quorun": 2}},
    ],
)
def test_misspelt_word_of_the_first_version_is_not_read_as_a_milder_one(changed: dict[str, Any]) -> None:
    document = {"schema_version": 1, "name": "old", "approval": {"approver_groups": ["leads"]}, **changed}

    with pytest.raises(BundleRefused, match="must be one of"):
        translated(document)
