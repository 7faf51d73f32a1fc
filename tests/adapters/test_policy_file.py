"""A policy file can be read by people, and says where it is wrong."""

import pytest

from adapters.policy.file import parse, read_published
from adapters.policy.tables import pack
from domain.errors import BundleRefused

TEXT = pack("support_default").read_text()


def refusal(text: str) -> str:
    with pytest.raises(BundleRefused) as refused:
        parse(text)
    return str(refused.value)


@pytest.mark.parametrize(
    ("written", "minor_units"), [("20.00", 2000), ("20", 2000), ("0.00", 0), ("49.99", 4999)]
)
def test_amounts_are_written_as_people_read_them(written: str, minor_units: int) -> None:
    limits = parse(TEXT.replace('"50.00"', f'"{written}"')).refund

    assert limits is not None
    assert limits.allow_up_to == minor_units


@pytest.mark.parametrize("written", ["20.0", "20.000", "-1.00", "20 EUR", "2O.00", "", "1e3", "1234567890"])
def test_other_amounts_are_refused_with_their_line(written: str) -> None:
    assert refusal(TEXT.replace('"50.00"', f'"{written}"')) == (
        'The policy bundle was refused: line 6, refund.allow_up_to: must look like "50.00"'
    )


def test_number_is_no_amount() -> None:
    assert "line 6, refund.allow_up_to" in refusal(TEXT.replace('"50.00"', "50.00"))


def test_limits_in_the_wrong_order_are_refused() -> None:
    assert "approval_up_to must not be less" in refusal(TEXT.replace('"50.00"', '"500.01"'))


def test_unknown_word_is_refused_with_its_line() -> None:
    assert refusal(TEXT.replace('"quorum"', '"quorom"')) == (
        "The policy bundle was refused: line 29, approval.quorom: is not a word this file knows"
    )


def test_unknown_action_is_refused_with_its_line() -> None:
    assert "line 19, other_actions.private_nod" in refusal(TEXT.replace('"private_note"', '"private_nod"'))


def test_currency_without_cents_is_refused() -> None:
    assert "line 8, refund.currencies.1" in refusal(TEXT.replace('"GBP"', '"JPY"'))


def test_word_written_twice_is_refused() -> None:
    assert "'quorum' is written twice" in refusal(TEXT.replace('"quorum": 1', '"quorum": 1, "quorum": 2'))


def test_broken_json_is_refused_with_its_line() -> None:
    assert refusal(TEXT.replace('"50.00",', '"50.00"')).startswith("The policy bundle was refused: line 7: ")


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
    assert "anna" not in refusal(TEXT.replace('"50.00"', '"anna@example.com"'))


def test_version_follows_the_meaning_and_not_the_layout() -> None:
    same = parse(TEXT.replace("\n\n", "\n").replace('"50.00"', '"50"'))

    assert same.version == parse(TEXT).version
    assert parse(TEXT.replace('"50.00"', '"50.01"')).version != same.version


def test_published_policy_reads_back_the_same() -> None:
    bundle = parse(TEXT)

    assert read_published(bundle.published()) == bundle
    assert '"allow_up_to":"50.00"' in bundle.published()


@pytest.mark.parametrize("content", ["", "[]", "{}", TEXT])
def test_what_was_never_published_is_refused(content: str) -> None:
    with pytest.raises(BundleRefused):
        read_published(content)
