"""The regular expressions that a policy may have.

Engines of different make must agree on them, none of them can be made slow by one, and each can be compiled
by all. Whatever a pattern says it says about the whole value.
"""

import re
import warnings
from re import _constants, _parser  # type: ignore[attr-defined]  # the only parser of what `re` accepts
from typing import Annotated, Any

from pydantic import BeforeValidator

MAX_PATTERN = 200
MAX_REPEAT = 100
MAX_ATTEMPTS = 1_000_000
LONGEST_TEXT = 128  # of what is matched
MAX_WEIGHT = 2400  # Rust's engine refuses what takes more than 100 kB; about half of that
ANY_WEIGHT = 40  # what any character of Unicode takes, where a letter takes one

ESCAPED = re.compile(r"\\.", re.DOTALL)
ESCAPED_WORD = re.compile(r"\\[0-9A-Za-z<>]")
CLASS = re.compile(r"\[\^?\]?([^\]]*)\]")
OTHERS_READ_DIFFERENTLY = re.compile(r"\[|&&|--|~~|\|\|")
COUNT = re.compile(r"\{[0-9]+(,[0-9]*)?\}")
ALLOWED = "may have letters, ASCII classes such as [0-9A-Z], groups, | and one level of repetition"


def _safe_pattern(pattern: object) -> object:
    if not isinstance(pattern, str):
        raise ValueError("must be a pattern in quotes")  # noqa: TRY004 - pydantic wants a ValueError
    if len(pattern) > MAX_PATTERN or not pattern.isascii() or not pattern.isprintable():
        raise ValueError(f"must be at most {MAX_PATTERN} printable ASCII characters")
    _one_meaning(pattern)
    parsed = _parsed(_without_anchors(pattern))
    weight = _weight(parsed, repeated=False)
    if _attempts(parsed) > MAX_ATTEMPTS:
        raise ValueError("could take too long: repeat less, and have no | in what is repeated")
    if weight > MAX_WEIGHT:
        raise ValueError("is too large once it is written out: repeat less, and `.` and [^…] least of all")
    return pattern


def _parsed(pattern: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # for what others read differently already
            return _parser.parse(pattern)
    except FutureWarning:
        raise ValueError(ALLOWED) from None
    except (re.error, OverflowError, RecursionError):
        raise ValueError("is not a regular expression") from None


def _without_anchors(pattern: str) -> str:
    """`^` and `$` around the whole say what is so anyway."""
    inner = pattern.removeprefix("^")
    return inner[:-1] if ESCAPED.sub("", inner).endswith("$") else inner


def _one_meaning(pattern: str) -> None:
    """What one engine reads as letters and another as an operator is refused."""
    plain = ESCAPED.sub("", pattern)
    classes = CLASS.findall(plain)
    outside = COUNT.sub("", CLASS.sub("", plain))
    if (
        any(ESCAPED_WORD.fullmatch(each) for each in ESCAPED.findall(pattern))
        or any(OTHERS_READ_DIFFERENTLY.search(each) for each in classes)
        or "(?" in outside.replace("(?:", "")
        or set("{}[").intersection(outside)
    ):
        raise ValueError(ALLOWED)


def _weight(parsed: Any, *, repeated: bool) -> int:
    """About how much it takes compiled. Raises `ValueError` for what is not allowed."""
    total = 0
    for code, argument in parsed:
        if code is _constants.LITERAL:
            total += 1
        elif code in {_constants.NOT_LITERAL, _constants.ANY}:
            total += ANY_WEIGHT
        elif code is _constants.IN and all(part is not _constants.CATEGORY for part, _ in argument):
            total += len(argument) + (ANY_WEIGHT if argument[0][0] is _constants.NEGATE else 1)
        elif code is _constants.SUBPATTERN:
            total += _weight(argument[3], repeated=repeated)
        elif code is _constants.BRANCH:
            total += sum(1 + _weight(branch, repeated=repeated) for branch in argument[1])
        elif code is _constants.MAX_REPEAT and not repeated:
            least, most, part = argument
            times = least + 1 if most is _constants.MAXREPEAT else most
            if times > MAX_REPEAT:
                raise ValueError(f"must not repeat anything more than {MAX_REPEAT} times")
            total += times * (1 + _weight(part, repeated=True))
        else:
            raise ValueError(ALLOWED)
    return total


def _attempts(parsed: Any) -> int:
    """How many ways there are at most to match a value, which a backtracking engine may all try."""
    ways = 1
    for code, argument in parsed:
        if code is _constants.SUBPATTERN:
            ways *= _attempts(argument[3])
        elif code is _constants.BRANCH:
            ways *= sum(_attempts(branch) for branch in argument[1])
        elif code is _constants.MAX_REPEAT:
            least, most, part = argument
            most = LONGEST_TEXT if most is _constants.MAXREPEAT else most
            ways *= (most - least + 1) * min(_attempts(part), MAX_ATTEMPTS) ** most
        ways = min(ways, MAX_ATTEMPTS + 1)
    return ways


Pattern = Annotated[str, BeforeValidator(_safe_pattern)]
