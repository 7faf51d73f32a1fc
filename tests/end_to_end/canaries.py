"""Planted personal data, in every spelling that a store could keep it in."""

import base64
import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, quote_plus

SHORTEST = 5  # what is shorter stands anywhere by chance


@dataclass(frozen=True)
class Canary:
    """A value that is nowhere else in the system."""

    what: str
    value: str

    @cached_property
    def spellings(self) -> Mapping[str, bytes]:
        """By name of the encoding; in small letters, as the searched bytes are."""
        found: dict[bytes, str] = {}
        for form, text in _forms(self.value).items():
            for encoding, spelled in _encoded(text):
                if len(spelled) >= SHORTEST:
                    found.setdefault(spelled.lower(), f"{self.what}, {form}, {encoding}")
        return {name: spelled for spelled, name in found.items()}


def found_in(content: bytes, canaries: Iterable[Canary]) -> list[str]:
    """Which spellings of which canaries stand in it, whatever their case."""
    small = content.lower()
    return [name for canary in canaries for name, spelled in canary.spellings.items() if spelled in small]


def _forms(value: str) -> Mapping[str, str]:
    """As written, and as machines compare it."""
    bare = "".join(character for character in value if character.isalnum())
    # Only letters of ASCII lose their case in bytes.
    return {"written": value, "bare": bare, "small": value.lower(), "capitals": value.upper()}


def _encoded(text: str) -> Iterable[tuple[str, bytes]]:
    plain = text.encode()
    yield "plain", plain
    yield "hex", plain.hex().encode()
    for name in ("utf-16-le", "utf-16-be"):
        yield name, text.encode(name)
        yield f"hex of {name}", text.encode(name).hex().encode()
    yield "url", quote(text, safe="").encode()
    yield "form", quote_plus(text).encode()
    yield "json", json.dumps(text)[1:-1].encode()
    yield "html", html.escape(text).encode()
    for shift in range(3):
        yield f"base64 at {shift}", _base64(plain, shift)
        yield f"url-safe base64 at {shift}", _base64(plain, shift).replace(b"+", b"-").replace(b"/", b"_")


def _base64(plain: bytes, shift: int) -> bytes:
    """The letters that do not depend on what stands before and after it; its very end is not among them."""
    encoded = base64.b64encode(b"\0" * shift + plain)
    start = -(-shift * 8 // 6)
    end = (shift + len(plain)) * 8 // 6
    return encoded[start:end]
