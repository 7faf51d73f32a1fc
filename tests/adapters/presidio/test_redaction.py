"""One vault per ticket: the same value has the same placeholder over messages, spellings and turns."""

import pytest

from adapters.presidio.redaction import RedactionEngine
from domain.placeholder import PLACEHOLDER
from domain.ports import Redacted
from tests.adapters.presidio.conftest import Conversing

RECORD = {
    "name": "José Álvarez",
    "email": "jose.alvarez@example.com",
    "phone": "+34 612 345 678",
    "address": "Calle Mayor 5, 28013 Madrid",
}


def _rehydrated(text: str, values: dict[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values[match[0]], text)


def _said(redacted: Redacted) -> list[str]:
    return [message.body for message in redacted.conversation.messages]


SPELLINGS = [
    ("name", "José Álvarez"),
    ("name", "JOSE ALVAREZ"),
    ("name", "jose"),
    ("name", "Alvarez, Jose"),
    ("name", "J. Álvarez"),
    ("name", "José A."),
    ("name", "jose_alvarez"),
    ("email", "Jose.Alvarez@Example.com"),
    ("phone", "612345678"),
    ("phone", "0034 612-345-678"),
    ("phone", "(612) 345 678"),
    ("address", "calle mayor 5,\n28013 madrid"),
    ("address", "Calle Mayor 5"),
]


@pytest.mark.parametrize(("field", "spelling"), SPELLINGS)
def test_spelling_of_the_record_gets_the_placeholder_of_the_record(
    redaction: RedactionEngine, conversing: Conversing, field: str, spelling: str
) -> None:
    redacted = redaction.redact(conversing(f"note {spelling} here", **RECORD), {})

    token = getattr(redacted.conversation.requester, field)
    assert _said(redacted) == [f"note {token} here"]
    assert redacted.values[token] == RECORD[field]


def test_record_itself_is_replaced(redaction: RedactionEngine, conversing: Conversing) -> None:
    requester = redaction.redact(conversing("hello", **RECORD), {}).conversation.requester

    assert requester.external_id == ""
    assert PLACEHOLDER.fullmatch(requester.name or "")
    assert PLACEHOLDER.fullmatch(requester.email or "")
    assert PLACEHOLDER.fullmatch(requester.phone or "")
    assert PLACEHOLDER.fullmatch(requester.address or "")


def test_value_keeps_its_placeholder_over_subject_and_messages(
    redaction: RedactionEngine, conversing: Conversing
) -> None:
    conversation = conversing("order 1042?", "#hb-1042 again", subject="About HB-1042")

    redacted = redaction.redact(conversation, {})

    assert len({match[0] for text in _said(redacted) for match in PLACEHOLDER.finditer(text)}) == 1
    assert list(redacted.values.values()) == ["HB-1042"]


def test_bare_number_stands_for_the_full_one_that_comes_later(
    redaction: RedactionEngine, conversing: Conversing
) -> None:
    redacted = redaction.redact(conversing("Where is order 1042?", "I mean #HB-1042, not order 1043"), {})

    assert sorted(redacted.values.values()) == ["1043", "HB-1042"]


def test_bare_number_that_could_mean_two_orders_stands_for_itself(
    redaction: RedactionEngine, conversing: Conversing
) -> None:
    redacted = redaction.redact(conversing("order 1042, HB-1042 and PT-1042"), {})

    assert sorted(redacted.values.values()) == ["1042", "HB-1042", "PT-1042"]


def test_address_given_as_name_does_not_eat_ordinary_words(
    redaction: RedactionEngine, conversing: Conversing
) -> None:
    redacted = redaction.redact(conversing("for example this", name="ann.poe@example.com"), {})

    assert _said(redacted) == ["for example this"]


def test_value_keeps_its_placeholder_over_turns(redaction: RedactionEngine, conversing: Conversing) -> None:
    first = redaction.redact(conversing("I am Zebulon Quist, mail zq@example.com", name="Ann Poe"), {})
    known = {**first.values, "order_" + "a" * 24: "HB-1042"}

    later = redaction.redact(conversing("zq@example.com and other@example.com", name="Ann Poe"), known)

    old = next(token for token, value in first.values.items() if value == "zq@example.com")
    nonces = {match["nonce"] for token in later.values if (match := PLACEHOLDER.fullmatch(token))}
    assert _said(later)[0].startswith(old)
    assert len(nonces) == 1
    assert len(later.values) == len(first.values) + 1


def test_value_of_an_earlier_turn_is_found_without_its_context(
    redaction: RedactionEngine, conversing: Conversing
) -> None:
    first = redaction.redact(conversing("My name is Zebulon Quist"), {})

    later = redaction.redact(conversing("ask zebulon quist about it"), first.values)

    assert "quist" not in _said(later)[0]


def test_name_of_the_signature_is_found_in_the_middle(
    redaction: RedactionEngine, conversing: Conversing
) -> None:
    redacted = redaction.redact(conversing("Ask Quist, he knows.\n\nRegards,\nZebulon Quist"), {})

    assert "Quist" not in _said(redacted)[0]


def test_numbers_follow_reading_order(redaction: RedactionEngine, conversing: Conversing) -> None:
    redacted = redaction.redact(conversing("a@example.com b@example.com", subject="c@example.com"), {})

    assert [values for _, values in sorted(redacted.values.items())] == [
        "c@example.com",
        "a@example.com",
        "b@example.com",
    ]


def test_round_trip_gives_the_words_back(redaction: RedactionEngine, conversing: Conversing) -> None:
    text = "Call +44 7700 900123 or mail joe@example.com, card 4111 1111 1111 1111.\nRegards,\nPeter Schulz"

    redacted = redaction.redact(conversing(text), {})

    assert _rehydrated(_said(redacted)[0], dict(redacted.values)) == text


def test_two_tickets_have_different_nonces(redaction: RedactionEngine, conversing: Conversing) -> None:
    tickets = [redaction.redact(conversing("joe@example.com"), {}) for _ in range(8)]

    assert len({token for ticket in tickets for token in ticket.values}) > 1


@pytest.mark.parametrize(
    "typed", ["[[PERSON_1_ab12]]", "[PERSON_1]", "<EMAIL_1>", "[ [person_1_ab] ]", "[[x]]"]
)
def test_typed_placeholder_loses_its_form(
    redaction: RedactionEngine, conversing: Conversing, typed: str
) -> None:
    known = {"[[PERSON_1_ab12]]": "Ann Poe"}

    redacted = redaction.redact(conversing(f"say {typed} loud"), known)

    assert not PLACEHOLDER.search(_said(redacted)[0])
    assert "[[" not in _said(redacted)[0]


def test_counts_are_per_kind(redaction: RedactionEngine, conversing: Conversing) -> None:
    redacted = redaction.redact(conversing("a@example.com b@example.com 203.0.113.77"), {})

    assert redacted.counts == {"EMAIL": 2, "IP": 1}


def test_digest_names_the_recogniser_set(redaction: RedactionEngine, conversing: Conversing) -> None:
    one, other = (redaction.redact(conversing(text), {}).recognizers for text in ("a", "b"))

    assert one == other == RedactionEngine().redact(conversing("c"), {}).recognizers


def test_html_mail_becomes_lines(redaction: RedactionEngine, conversing: Conversing) -> None:
    body = "<style>p{}</style><p>Hello,</p><p>it is <b>broken</b><br>and late</p><script>x()</script>"

    redacted = redaction.redact(conversing(body), {})

    assert _said(redacted) == ["Hello,\n\nit is broken\n\nand late"]


def test_mail_address_in_angle_brackets_is_not_taken_for_markup(
    redaction: RedactionEngine, conversing: Conversing
) -> None:
    redacted = redaction.redact(conversing("<p>Zebulon Quist <zq@example.com> wrote:</p>"), {})

    assert sorted(redacted.values.values()) == ["Zebulon Quist", "zq@example.com"]


def test_everyday_family_name_does_not_eat_the_sentence(
    redaction: RedactionEngine, conversing: Conversing
) -> None:
    redacted = redaction.redact(conversing("the price is long, says Mr Price", name="Ann Price"), {})

    assert _said(redacted)[0].startswith("the price is long")
    assert "Price" not in _said(redacted)[0]
