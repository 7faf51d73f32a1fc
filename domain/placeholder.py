"""Placeholders stand for personal data: `[[PERSON_1_k7]]` has a kind, a number and the ticket's nonce."""

import re
from enum import StrEnum

PLACEHOLDER = re.compile(r"\[\[(?P<kind>[A-Z]+)_(?P<number>[0-9]{1,4})_(?P<nonce>[a-z0-9]{2,8})\]\]")


class PlaceholderKind(StrEnum):
    """What a placeholder stands for; the name is part of the placeholder."""

    PERSON = "PERSON"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    CARD = "CARD"
    IBAN = "IBAN"
    ADDRESS = "ADDRESS"
    ORDER = "ORDER"
    URL = "URL"
    IP = "IP"
    SSN = "SSN"
    BIRTHDATE = "BIRTHDATE"
    SECRET = "SECRET"  # noqa: S105 - the word, not one
    NUMBER = "NUMBER"


WORDS = {
    PlaceholderKind.PERSON: "name",
    PlaceholderKind.EMAIL: "e-mail address",
    PlaceholderKind.PHONE: "phone number",
    PlaceholderKind.CARD: "card number",
    PlaceholderKind.IBAN: "bank account",
    PlaceholderKind.ADDRESS: "address",
    PlaceholderKind.ORDER: "order number",
    PlaceholderKind.URL: "link",
    PlaceholderKind.IP: "IP address",
    PlaceholderKind.SSN: "social security number",
    PlaceholderKind.BIRTHDATE: "date of birth",
    PlaceholderKind.SECRET: "secret",
    PlaceholderKind.NUMBER: "number",
}


# As policies name them in `redact_fields`.
KINDS = {kind.value.lower(): kind for kind in PlaceholderKind}


def placeholder(kind: PlaceholderKind, number: int, nonce: str) -> str:
    """The token itself."""
    return f"[[{kind}_{number}_{nonce}]]"


def in_words(text: str) -> str:
    """`text` as people may see it: each placeholder becomes a word such as ‹name›."""
    return PLACEHOLDER.sub(_word, text)


def _word(match: re.Match[str]) -> str:
    kind = match["kind"]
    return f"‹{WORDS[PlaceholderKind(kind)]}›" if kind in PlaceholderKind.__members__ else "‹removed›"
