"""Checks that a candidate is what it looks like; each gives the spans inside the candidate that count."""

import ipaddress
import re
from collections.abc import Iterator

import phonenumbers

PHONE_REGIONS = ("US", "GB", "DE", "FR", "IN", "AU", "ES", "IT", "NL", "BR", "IL")
_IBAN_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "PT ST",
    26: "IS TR",
    27: "FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
}
IBAN_LENGTHS = {country: length for length, names in _IBAN_COUNTRIES.items() for country in names.split()}

_CLOSING_MARKS = ".,;:!?)]’'\"*"
_DATE = re.compile(
    r"^\(?(?:\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})(?:[ T]?(?:\d{1,2})?)?$"
)
_YEARS = re.compile(r"^(?:19|20)\d{2} ?[-–/] ?(?:19|20)\d{2}$")
_DIGIT_GROUP = re.compile(r"\d+")
_NOT_A_SECRET = re.compile(
    r"^(?:not|wrong|incorrect|invalid|expired|working|correct|right|still|lost|locked|blocked|forgotten|being|"
    r"reset|required|asked|never|always|rejected|accepted|refused|missing|unknown|changed|the|that|what|now|too)\b",
    re.IGNORECASE,
)

Span = tuple[int, int]


def whole(text: str) -> Iterator[Span]:
    """Everything counts."""
    yield 0, len(text)


def without_closing_marks(text: str) -> Iterator[Span]:
    """The punctuation of the sentence is not part of it."""
    kept = text.rstrip(_CLOSING_MARKS)
    if kept:
        yield 0, len(kept)


def with_a_digit(text: str) -> Iterator[Span]:
    """An address of only words is a sentence."""
    if any(character.isdigit() for character in text):
        yield 0, len(text.rstrip(_CLOSING_MARKS))


def with_a_digit_or_mark(text: str) -> Iterator[Span]:
    """`My login is broken` names nobody."""
    if not text.isalpha():
        yield 0, len(text)


def streets(text: str) -> Iterator[Span]:
    """At least one word of it is written as a name, or the text is all lower case."""
    if text == text.lower() or any(word[:1].isupper() for word in text.split()):
        yield 0, len(text.rstrip(" ,"))


def secrets(text: str) -> Iterator[Span]:
    """`my password is wrong` tells no secret; a digit, a mark or mixed case inside a word does."""
    kept = text.rstrip(_CLOSING_MARKS)
    if not _NOT_A_SECRET.match(kept) and (not kept.isalpha() or not kept[1:].islower()):
        yield 0, len(kept)


def addresses(text: str) -> Iterator[Span]:
    """An internet address that parses."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return
    if text != "::":
        yield 0, len(text)


def phones(text: str) -> Iterator[Span]:
    """A number that could be dialled somewhere, or so many digits that it may be one."""
    if _is_date(text):
        return
    digits = sum(character.isdigit() for character in text)
    if 10 <= digits <= 15 or (digits < 10 and _dials(text)):
        yield 0, len(text)


def not_dates(text: str) -> Iterator[Span]:
    """Numbers after `call me` may be a date."""
    if not _is_date(text):
        yield 0, len(text)


def cards(text: str) -> Iterator[Span]:
    """Runs of whole digit groups with a valid check digit, and the card number inside longer runs."""
    groups = [match.span() for match in _DIGIT_GROUP.finditer(text)]
    if len(groups) == 1:
        yield from _card_at(text, groups, 0)
    for first in range(len(groups)) if len(groups) > 1 else ():
        yield from _card_at(text, groups, first)


def _card_at(text: str, groups: list[Span], first: int) -> Iterator[Span]:
    start = groups[first][0]
    for _, end in reversed(groups[first : first + 19]):
        if is_card("".join(filter(str.isdigit, text[start:end]))):
            yield start, end
            return


def is_card(digits: str) -> bool:
    """Length, first digit (2-series included) and Luhn's check digit."""
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456" or len(set(digits)) == 1:
        return False
    doubled = (int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def ibans(text: str) -> Iterator[Span]:
    """As many characters as the country has; a wrong check number is still somebody's typing error."""
    places = [place for place, character in enumerate(text) if character.isalnum()]
    code = "".join(text[place] for place in places).upper()
    length = IBAN_LENGTHS.get(code[:2])
    if length is not None and len(code) >= length:
        candidate = code[:length]
        if is_iban(candidate) or sum(map(str.isdigit, candidate)) >= 10:
            yield 0, places[length - 1] + 1


def is_iban(code: str) -> bool:
    """ISO 13616: the rearranged number leaves 1 when divided by 97."""
    return int("".join(str(int(character, 36)) for character in code[4:] + code[:4])) % 97 == 1


def _is_date(text: str) -> bool:
    return bool(_DATE.match(text) or _YEARS.match(text))


def _dials(text: str) -> bool:
    regions: tuple[str | None, ...] = (None,) if text.startswith("+") else PHONE_REGIONS
    return any(_valid(text, region) for region in regions)


def _valid(text: str, region: str | None) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, region)))
    except phonenumbers.NumberParseException:
        return False
