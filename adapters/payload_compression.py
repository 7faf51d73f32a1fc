"""Makes payloads small before they are encrypted: DEFLATE with a dictionary of our models' own words.

Histories carry short JSON of ids and digests, of which the field names are the larger part.
Nothing in them is an attacker's to choose, so their length after compression tells nothing.
"""

import hashlib
import zlib
from functools import cache
from pathlib import Path

# Never edit a dictionary: histories of years hold what was made with it. Add the next form beside it.
DICTIONARY_1 = Path(__file__).with_name("payload_dictionary_1.txt")
DICTIONARY_1_SHA256 = "dfa7cd8b0f10e3ffd629bd49327485a04af1ab9d346fa6298ef1c5c1afd393d9"

# The first byte says the form. A payload that was never compressed begins with a field's tag, 0x0a.
FORM_1 = b"\x01"
RAW_DEFLATE = -15
LARGEST = 16 * 1024 * 1024


class NotInflatable(Exception):
    """The bytes are not what this module makes."""

    def __init__(self) -> None:
        super().__init__("The payload cannot be decompressed")


def deflate(content: bytes) -> bytes:
    """The smaller of the compressed and the plain form."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, RAW_DEFLATE, 9, zlib.Z_DEFAULT_STRATEGY, _dictionary())
    squeezed = FORM_1 + squeezer.compress(content) + squeezer.flush()
    return squeezed if len(squeezed) < len(content) else content


def inflate(content: bytes) -> bytes:
    """Undoes `deflate`. Raises `NotInflatable`, also for what would grow beyond any payload."""
    if not content.startswith(FORM_1):
        return content
    inflater = zlib.decompressobj(RAW_DEFLATE, _dictionary())
    try:
        plain = inflater.decompress(content[1:], LARGEST)
    except zlib.error as error:
        raise NotInflatable from error
    if not inflater.eof:
        raise NotInflatable
    return plain


@cache
def _dictionary() -> bytes:
    words = DICTIONARY_1.read_bytes()
    if hashlib.sha256(words).hexdigest() != DICTIONARY_1_SHA256:
        raise NotInflatable
    return words
