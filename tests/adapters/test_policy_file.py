"""A policy file can be read by people, and says where it is wrong."""

import json

import pytest

from adapters.policy.bundle import PRIMITIVES, Level
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.plain import PlainEngine
from adapters.policy.published import published, read_published
from adapters.policy.tables import pack
from adapters.policy.written import BundleCurrency
from domain.decision import Obligations, Rung, Verdict
from domain.errors import BundleRefused
from tests.adapters.policy_inputs import other, refund, reply

TEXT = pack("support_default").read_text()
EVERY_PRIMITIVE = """
schema_version: 2
name: everything
default: approval_needed
approval: {approver_groups: [leads], ladder: [{after: 1h, approver_groups: [heads]}]}
agents: {support_agent: {permission_level: execute_with_approval}}
facts: {paid: amount, delivered: flag}
actions: {store_credit: {band: low, arguments: {orders: {type: ids, most: 3}}, amount: {sum: [paid]}}}
rules:
  - id: everything
    must_hold: true
    when:
      actions: [refund]
      condition: {all: [{not: {field: mode, equals: assist}}, {field: action.zones, subset_of: [public]}]}
    allow: true
    action_allowlist: [refund]
    channel_allowlist: [public]
    hours:
      zone: Europe/Berlin
      open: {weekdays: ["09:00-17:30"], saturday: ["22:00-02:00"]}
      holidays: ["2026-12-25"]
    purpose: [support]
    rate: {at_most: 3, per: customer, within: 30d}
    redact_fields: [email]
    require: [{condition: {field: facts.delivered, equals: true}, code: not_delivered}]
    require_approval: {}
    residency: [eu]
    tenant_scope: true
    threshold: {allow_up_to: {EUR: "50.00"}, approval_up_to: {EUR: "500.00"}}
  - id: never
    deny: true
"""


def refusal(text: str) -> str:
    with pytest.raises(BundleRefused) as refused:
        parse(text)
    return str(refused.value)


REFUND = "rules.0.threshold.allow_up_to.EUR"
LINE = 'allow_up_to: {EUR: "50.00"'


@pytest.mark.parametrize(
    ("written", "minor_units"), [("20.00", 2000), ("20", 2000), ("0.00", 0), ("49.99", 4999)]
)
def test_amounts_are_written_as_people_read_them(written: str, minor_units: int) -> None:
    limits = parse(TEXT.replace(LINE, f'allow_up_to: {{EUR: "{written}"')).rules[0].threshold

    assert limits is not None
    assert limits.allow_up_to[BundleCurrency.EUR] == minor_units


@pytest.mark.parametrize("written", ["20.0", "20.000", "-1.00", "20 EUR", "2O.00", "", "1e3", "1234567890"])
def test_other_amounts_are_refused_with_their_line(written: str) -> None:
    assert refusal(TEXT.replace(LINE, f'allow_up_to: {{EUR: "{written}"')) == (
        f'The policy bundle was refused: line {line_of(LINE)}, {REFUND}: must look like "50.00", in quotes'
    )


@pytest.mark.parametrize("number", ["50", "50.00"])
def test_number_is_no_amount(number: str) -> None:
    said = refusal(TEXT.replace(LINE, f"allow_up_to: {{EUR: {number}"))

    assert f"line {line_of(LINE)}" in said
    assert "in quotes" in said


def test_limits_in_the_wrong_order_are_refused() -> None:
    assert "approval_up_to must not be less" in refusal(TEXT.replace(LINE, 'allow_up_to: {EUR: "500.01"'))


def test_a_threshold_without_a_currency_is_refused() -> None:
    limits = 'allow_up_to: {EUR: "50.00", GBP: "50.00", USD: "50.00"}'

    assert f"line {line_of(LINE)}, rules.0.threshold.allow_up_to: " in refusal(
        TEXT.replace(limits, "allow_up_to: {}")
    )


def test_unknown_word_is_refused_with_its_line_and_what_was_perhaps_meant() -> None:
    assert refusal(TEXT.replace("quorum", "quorom")) == (
        f"The policy bundle was refused: line {line_of('quorum')}, approval.quorom: is not a word this file"
        " knows (did you mean 'quorum'?)"
    )


def test_unknown_action_is_refused_with_its_line_and_what_was_perhaps_meant() -> None:
    said = refusal(TEXT.replace("[private_note", "[private_nod"))

    assert f"line {line_of('- id: office_work')}, rule 'office_work': action 'private_nod'" in said
    assert "did you mean 'private_note'?" in said


def test_unknown_field_is_refused_with_what_was_perhaps_meant() -> None:
    assert "no field 'action.zone' (did you mean 'action.zones'?)" in refusal(
        TEXT.replace("field: action.zones", "field: action.zone")
    )


def test_currency_without_cents_is_refused() -> None:
    assert f"line {line_of(LINE)}, rules.0.threshold.allow_up_to.JPY" in refusal(
        TEXT.replace(LINE, 'allow_up_to: {JPY: "50.00"')
    )


def test_word_written_twice_is_refused() -> None:
    assert "'quorum' is written twice" in refusal(TEXT.replace("quorum: 1", "quorum: 1\n  quorum: 2"))


def test_broken_yaml_is_refused_with_its_line() -> None:
    said = refusal(TEXT.replace("[reply]", "[reply", 1))

    assert said.startswith("The policy bundle was refused: line ")


def line_of(text: str) -> int:
    return TEXT[: TEXT.index(text)].count("\n") + 1


OTHER = {
    "nothing": "",
    "list": "[]",
    "null": "null",
    "empty": "{}",
    "deep": "[" * 100_000,
    "long": "1" * 300_000,
}


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_other_documents_are_refused(text: str) -> None:
    assert refusal(text).startswith("The policy bundle was refused: ")


def test_what_was_written_stays_out_of_the_sentence() -> None:
    assert "anna" not in refusal(TEXT.replace(LINE, 'allow_up_to: {EUR: "anna@example.com"'))


def test_version_follows_the_meaning_and_not_the_layout() -> None:
    same = parse(TEXT.replace("\n\n", "\n").replace('"50.00"', '"50"').replace("24h", "1d"))

    assert alone(same).version == alone(parse(TEXT)).version
    assert alone(parse(TEXT.replace(LINE, 'allow_up_to: {EUR: "50.01"'))).version != alone(same).version


PUBLISHABLE = [TEXT, pack("retail").read_text(), EVERY_PRIMITIVE]


@pytest.mark.parametrize("text", PUBLISHABLE)
@pytest.mark.parametrize("level", Level)
def test_published_policy_reads_back_the_same(text: str, level: Level) -> None:
    bundle = parse(text)

    assert read_published(alone(bundle, level).content) == bundle
    assert read_published(published(bundle, level, agent="").content) == bundle


def test_every_primitive_is_published_above() -> None:
    written = {name for rule in parse(EVERY_PRIMITIVE).rules for name in rule.primitives()}

    assert written == set(PRIMITIVES)


def test_amounts_are_published_as_people_write_them() -> None:
    assert '"allow_up_to":{"EUR":"50.00"' in alone(parse(TEXT)).content


def test_version_names_the_level_and_the_agent() -> None:
    bundle = parse(TEXT)
    versions = {
        published(bundle, Level.ORGANISATION).version,
        published(bundle, Level.TENANT).version,
        published(bundle, Level.AGENT, agent="support_agent").version,
        published(bundle, Level.AGENT, agent="billing_agent").version,
    }

    assert len(versions) == 4


UNPUBLISHED = ["", "[]", "{}", "{", TEXT, json.dumps(parse(TEXT).content()), '{"sources": []}']


@pytest.mark.parametrize("content", UNPUBLISHED)
def test_what_was_never_published_is_refused(content: str) -> None:
    with pytest.raises(BundleRefused):
        read_published(content)


def test_policy_of_the_first_release_is_still_read_and_means_the_same() -> None:
    """Its rules had no names; limits, zones, lists and terms are what they were."""
    limits = {"allow_up_to": "50.00", "approval_up_to": "500.00", "currencies": ["EUR"]}
    terms = {"approver_groups": ["leads"], "quorum": 2, "expires_in_s": 7200, "remind_every_s": 600}
    first = {
        "schema_version": 1,
        "name": "first",
        "refund": limits,
        "reply": {"zones": {"public": "allow", "internal": "approval_needed"}},
        "other_actions": {"private_note": "allow", "add_tags": "approval_needed", "set_status": "deny"},
        "approval": {**terms, "ladder": [{"after_s": 1200, "approver_groups": ["heads"]}]},
    }

    read = read_published(json.dumps({"bundle": first, "library": "sha256:" + "0" * 64}))

    assert read == parse(json.dumps(first))
    engine = PlainEngine(alone(read))
    asked = engine.decide_document(json.dumps(refund(5001)))
    assert asked.obligations == Obligations(
        approver_groups=("leads",),
        quorum=2,
        expires_in_s=7200,
        remind_every_s=600,
        ladder=(Rung(after_s=1200, approver_groups=("heads",)),),
    )
    found = {
        name: engine.decide_document(json.dumps(document)).verdict
        for name, document in {
            "50.00": refund(5000),
            "500.01": refund(50001),
            "public": reply("public"),
            "internal": reply("public", "internal"),
            "privileged": reply("privileged"),
            "note": other("private_note"),
            "tags": other("add_tags"),
            "status": other("set_status"),
            "post": other("slack_post"),
        }.items()
    }
    allow, ask, deny = Verdict.ALLOW, Verdict.APPROVAL_NEEDED, Verdict.DENY
    assert [*found.values()] == [allow, deny, allow, ask, deny, allow, ask, deny, deny]
