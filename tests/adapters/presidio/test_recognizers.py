"""Tables of spellings: what must go, under which kind, and what looks like it and must stay."""

import re

import pytest

from adapters.presidio.redaction import RedactionEngine
from domain.placeholder import PLACEHOLDER

# (kind, text around the value, value)
TAKEN_OUT = [
    ("EMAIL", "Write to {} please", "joe@example.com"),
    ("EMAIL", "Write to {} please", "joe@corp.internal"),
    ("EMAIL", "Write to {} please", "joe@localhost"),
    ("EMAIL", "mail:{}.", "o'neil+shop@mail.example.co.uk"),
    ("EMAIL", "Write to {} please", "joe (at) example dot com"),
    ("EMAIL", "Write to {} please", "joe[at]example.com"),
    ("EMAIL", "Write to {} please", "joe @ example.com"),
    ("EMAIL", "Write to {} please", "jörg@exämple.de"),
    ("PHONE", "Call {} now", "+44 7700 900123"),
    ("PHONE", "Call {} now", "(212) 555-0188"),
    ("PHONE", "Call {} now", "212.555.0188"),
    ("PHONE", "my number: {}", "0171 1234567"),
    ("PHONE", "my phone is {}", "9876543210"),
    ("PHONE", "Ring {} now", "0049-171-1234567"),
    ("PHONE", "call me on {} today", "555-0123"),
    ("CARD", "card {} expires soon", "4111 1111 1111 1111"),
    ("CARD", "card {} expires soon", "4111-1111-1111-1111"),
    ("CARD", "card {} expires soon", "4111.1111.1111.1111"),
    ("CARD", "card {} expires soon", "4111–1111–1111–1111"),
    ("CARD", "card {} expires soon", "2223003122003222"),
    ("CARD", "card {} expires soon", "378282246310005"),
    ("CARD", "card {} expires soon", "6304000000000000000"),
    ("CARD", "card {} expires soon", "4111 1111\n1111 1111"),
    ("IBAN", "account {} please", "DE89 3704 0044 0532 0130 00"),
    ("IBAN", "account {} please", "de89370400440532013000"),
    ("IBAN", "from de89370400440532013000 and then to {} please", "GB29 NWBK 6016 1331 9268 19"),
    ("EMAIL", "the link said {} at its end", "jane.roe%40example.com"),
    ("EMAIL", "the link said {} at its end", "q%40w.example"),
    ("IBAN", "account {} please", "GB82-WEST-1234-5698-7654-32"),
    ("SSN", "ssn {} here", "078-05-1120"),
    ("SSN", "my social security number is {}", "078051120"),
    ("IP", "from {} it fails", "203.0.113.77"),
    ("IP", "from {} it fails", "2001:db8::ff00:42:8329"),
    ("BIRTHDATE", "I was born on {}", "12/03/1980"),
    ("BIRTHDATE", "date of birth: {}", "3rd March 1980"),
    ("BIRTHDATE", "DOB {}", "1980-03-12"),
    ("URL", "see {} for it", "https://shop.example.com/u/jane?x=1"),
    ("URL", "see {} for it", "www.example.org"),
    ("URL", "see {} for it", "chase.bank/login"),
    ("URL", "see {} for it", "jane-doe.example.com"),
    ("URL", "see {} for it", "https://h.example/o?email=joe@example.com&t=1"),
    ("SECRET", "my password is {}", "hunter2!x"),
    ("SECRET", "password: {}", "correcthorse"),
    ("SECRET", "the key {} leaked", "sk_live_" + "a1b2c3d4" * 3),
    ("SECRET", "the key {} leaked", "ghp_" + "A1b2" * 9),
    ("SECRET", "my pin is {}", "4821"),
    ("SECRET", "cvv {}", "123"),
    ("ORDER", "Where is {}?", "#HB-1042"),
    ("ORDER", "Where is {}?", "HB-1042"),
    ("ORDER", "Where is order {}?", "1042"),
    ("ORDER", "Where is order number: {}?", "1042"),
    ("ORDER", "Where is order {}?", "#W1355800"),
    ("ADDRESS", "I live at {} now", "12 High Street, London SW1A 1AA"),
    ("ADDRESS", "Send it to {} please", "742 Evergreen Terrace, Springfield"),
    ("NUMBER", "pay to account {} today", "12345678"),
    ("NUMBER", "the sort code is {} there", "12-34-56"),
    ("NUMBER", "my passport number is {} and", "X1234567"),
    ("PERSON", "my username is {} and", "zquist77"),
    ("EMAIL", "it is {} for me", "joe dot smith at gmail dot com"),
    ("ADDRESS", "my zip code used to be {}", "32169"),
    ("ADDRESS", "deliver to {} please", "Rua João Pessoa 1636"),
    ("ORDER", "it is {} as I said", "W9502127"),
    ("ADDRESS", "Lieferung an {} bitte", "Hauptstraße 12"),
    ("NUMBER", "parcel {} is late", "1Z999AA10123456784"),
    ("NUMBER", "reference {} thanks", "12345678901234567890"),
    ("PERSON", "Hello {},\nwhere is it?", "Zebulon"),
    ("PERSON", "Where is it?\n\nKind regards,\n{}", "Zebulon Quist"),
    ("PERSON", "My name is {} and I wait", "Zebulon Quist"),
    ("PERSON", "my name is {} and I wait", "zebulon quist"),
    ("PERSON", "I spoke to {} yesterday", "Zebulon"),
    ("PERSON", "Mrs. {} told me so", "Quist"),
    ("PERSON", "On Monday {} sent it", "Martina Quist"),
    ("PERSON", "From: {}\nTo: you", "Zebulon van der Quist"),
]


@pytest.mark.parametrize(("kind", "around", "value"), TAKEN_OUT)
def test_personal_data_is_replaced_by_its_kind(
    redaction: RedactionEngine, kind: str, around: str, value: str
) -> None:
    redacted = redaction.redact_text(around.format(value))

    assert _significant(value).isdisjoint(_significant(PLACEHOLDER.sub(" ", redacted)) - _significant(around))
    assert kind in {match["kind"] for match in PLACEHOLDER.finditer(redacted)}


EVASIONS = [
    ("entity", "joe&#64;example.com"),
    ("entity escaped twice", "joe&amp;#64;example.com"),
    ("zero-width space", "joe\u200b@exa\u200bmple.com"),
    ("soft hyphen", "j\u00adoe@exam\u00adple.com"),
    ("split by markup", "jo<b>e@exa</b>mple.com"),
    ("comment in markup", "<p>joe@<!-- x -->example.com</p>"),
    ("full width at", "joe\uff20example.com"),
    ("full-width digits", "".join(chr(0xFEE0 + ord(digit)) for digit in "4111111111111111")),
    ("no-break spaces", "4111\u00a01111\u00a01111\u00a01111"),
    ("arabic digits", "٤١١١١١١١١١١١١١١١"),
    ("invisible operators", "4111\u20631111\u20631111\u20631111"),
    ("escaped markup", "jo&lt;b&gt;e@exa&lt;/b&gt;mple.com"),
    ("byte order mark", "\ufeff078-05-1120"),
]


@pytest.mark.parametrize(("how", "text"), EVASIONS, ids=[how for how, _ in EVASIONS])
def test_evasion_is_seen_through(redaction: RedactionEngine, how: str, text: str) -> None:
    redacted = redaction.redact_text(f"here: {text} thanks")

    assert re.fullmatch(r"here:\s\[\[[A-Z]+_1_[a-z0-9]+\]\]\sthanks", redacted)


UNTOUCHED = [
    "The report.py and main.rs files crash in version 1.2.3.4",
    "I paid 49.90 EUR on 2024-05-15 for 3 items",
    "We waited from 2019-2021 for this",
    "My password is wrong and the pin does not work",
    "I need to reset my password",
    "It costs 1,000.00 and weighs 250 g",
    "Hello team, thanks in advance",
    "Thanks for your help, it works",
    "I'm Disappointed with the delivery",
    "This is urgent, I ordered 1000 units",
    "Hi I'd like to know your opening hours",
    "We met at 12:30:45 in the shop",
    "Dear Customer Service, where is my parcel?",
    "The 2-for-1 offer ended on 12/03/2024",
    "Dear Harbour Books,\nthank you",
    "My login is broken and my account is empty",
    "It arrives in May or June, will it not?",
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_only_looks_like_personal_data_stays(redaction: RedactionEngine, text: str) -> None:
    assert redaction.redact_text(text) == text


def test_card_number_is_found_between_other_digits(redaction: RedactionEngine) -> None:
    redacted = redaction.redact_text("exp 12/26 no 4111 1111 1111 1111 cvv 123 thanks")

    assert "1111" not in redacted
    assert "123" not in redacted


def test_neighbouring_people_are_not_merged(redaction: RedactionEngine) -> None:
    redacted = redaction.redact_text("I spoke to Peter.\nHello Paul, Anna here")

    assert len(PLACEHOLDER.findall(redacted)) >= 2


def test_value_over_a_chunk_border_is_found(redaction: RedactionEngine) -> None:
    for shift in range(-20, 25, 5):
        padding = "word " * ((20_000 + shift) // 5)

        assert "joe" not in redaction.redact_text(f"{padding}joe.bloggs@example.com and more")


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "text", ["." * 20_000, "1 " * 5_000, "(1)" * 5_000, "Aa" * 10_000, "aGVsbG8" * 3_000]
)
def test_monotonous_text_does_not_stall(redaction: RedactionEngine, text: str) -> None:
    redaction.redact_text(text)


def _significant(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"\w{3,}", text)}
