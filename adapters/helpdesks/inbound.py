"""The inbound half of a helpdesk: prove who sent a delivery, and say which ticket it is about.

To add a helpdesk: one file with such a source, and one line in `SOURCES` of `api/sources.py`.
"""

import re
from collections.abc import Sequence
from typing import Protocol


class Unproven(Exception):
    """The signature is wrong, missing, old or malformed."""

    def __init__(self) -> None:
        super().__init__("The delivery does not prove who sent it")


class Malformed(Exception):
    """The document is JSON, but not of this source's shape."""

    def __init__(self) -> None:
        super().__init__("The delivery is not of this source's shape")


class Headers(Protocol):
    """Request headers; names in any case, values as they came."""

    def getlist(self, key: str) -> list[str]:
        """Every value of one header."""
        ...


class Source(Protocol):
    """One helpdesk's deliveries."""

    def verify(self, headers: Headers, body: bytes, secrets: Sequence[str], now: float) -> str:
        """What names this delivery on every retry. In constant time; raises `Unproven`, nothing else."""
        ...

    def route(self, document: object) -> str | None:
        """The external ticket id; None where there is none. Raises `Malformed`, nothing else."""
        ...

    def is_echo(self, document: object) -> bool:
        """Whether it certainly tells of a message that we sent. Any doubt is a no."""
        ...


def one_header(headers: Headers, name: str, shape: re.Pattern[str]) -> str:
    """The header's only value.

    Two of them, or a strange one, raise `Unproven`: proxies disagree on which one counts.
    """
    values = headers.getlist(name)
    if len(values) != 1 or shape.fullmatch(values[0]) is None:
        raise Unproven
    return values[0]
