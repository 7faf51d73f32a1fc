"""Gives each value of a ticket one placeholder, the same over messages, spellings and turns."""

import secrets
import string
from collections import Counter
from collections.abc import Iterable, Mapping

import regex

from adapters.presidio.identities import Identity, folded, is_spelling_of
from domain.placeholder import PLACEHOLDER, PlaceholderKind, placeholder

NONCE_LENGTH = 4
HIGHEST_NUMBER = 9999  # a placeholder has room for four digits
_NOT_WRITTEN = regex.compile(r"[^\p{L}\p{N}]+")
K = PlaceholderKind


class Placeholders:
    """The ticket's placeholders while one text is redacted. Not shared between tickets."""

    def __init__(self, known: Mapping[str, str], record: list[Identity]) -> None:
        self.values: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self._record = record
        self._tokens: dict[tuple[PlaceholderKind, str], str] = {}
        self._highest: Counter[PlaceholderKind] = Counter()
        self._nonce = _new_nonce()
        self._orders: dict[str, str] = {}
        for token, value in known.items():
            self._remember(token, value)

    def expect_orders(self, numbers: Iterable[str]) -> None:
        """Every order number of the ticket: `order 1042` means HB-1042 where only one number ends so."""
        for number in numbers:
            plain = _plain(K.ORDER, number)
            if not plain.isdigit():
                self._orders.setdefault(plain, canonical(K.ORDER, number))

    def of(self, kind: PlaceholderKind, text: str) -> str:
        """The placeholder of a value, a new one if it was never seen."""
        kind, value = self._identity(kind, text)
        if kind is K.ORDER:
            value = self._full_number(value)
        key = (kind, _plain(kind, value))
        if key not in self._tokens:
            token = self._next(kind)
            self._tokens[key] = token
            self.values[token] = canonical(kind, value)
        return self._tokens[key]

    def replace(self, kind: PlaceholderKind, text: str) -> str:
        """As `of`, and counts the span."""
        self.counts[kind.value] += 1
        return self.of(kind, text)

    def _next(self, kind: PlaceholderKind) -> str:
        self._highest[kind] += 1
        if self._highest[kind] > HIGHEST_NUMBER:
            raise ValueError("There are too many values of one kind")
        return placeholder(kind, self._highest[kind], self._nonce)

    def _remember(self, token: str, value: str) -> None:
        match = PLACEHOLDER.fullmatch(token)
        if match is None or match["kind"] not in K.__members__:
            return  # the vault also keeps the ids of records
        kind = PlaceholderKind(match["kind"])
        self._nonce = match["nonce"]
        self._highest[kind] = max(self._highest[kind], int(match["number"]))
        self._tokens.setdefault((kind, _plain(kind, value)), token)
        if kind is K.ORDER:
            self.expect_orders([value])
        self.values[token] = value

    def _identity(self, kind: PlaceholderKind, text: str) -> Identity:
        """A spelling of somebody on record stands for the record's value."""
        for identity in self._record:
            if identity[0] is kind and is_spelling_of(text, identity):
                return identity
        return kind, text

    def _full_number(self, number: str) -> str:
        plain = _plain(K.ORDER, number)
        full = [written for key, written in self._orders.items() if _prefixed(key, plain)]
        return full[0] if plain.isdigit() and len(full) == 1 else number


def canonical(kind: PlaceholderKind, value: str) -> str:
    """The form in which a value is looked up and put back."""
    if kind is K.ORDER:
        return _NOT_WRITTEN.sub("-", value).strip("-").upper()
    return value.strip()


def _plain(kind: PlaceholderKind, value: str) -> str:
    match kind:
        case K.PHONE:
            return "".join(filter(str.isdigit, value))[-9:]
        case K.ADDRESS | K.PERSON:
            return " ".join(folded(value).replace(",", " ").split())
        case K.ORDER | K.CARD | K.IBAN | K.SSN | K.NUMBER:
            return _NOT_WRITTEN.sub("", value).upper()
        case K.SECRET | K.URL:
            return value.strip()  # these differ by case
        case _:
            return folded(" ".join(value.split()))


def _prefixed(key: str, digits: str) -> bool:
    return key.endswith(digits) and key[: -len(digits)].isalpha()


def _new_nonce() -> str:
    # Nobody who writes to us can guess it, so nobody can type a placeholder that means something.
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(NONCE_LENGTH))
