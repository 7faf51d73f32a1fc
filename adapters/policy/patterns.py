"""Patterns of conditions: what Python, Go and Rust read alike, and none of them can be made slow by."""

import re
import warnings
from re import _constants, _parser  # type: ignore[attr-defined]  # the only parser of what `re` accepts
from typing import Annotated, Any

from pydantic import BeforeValidator

MAX_PATTERN = 200
MAX_REPEAT = 100
MAX_ATTEMPTS = 1_000_000
MAX_SIZE = 800
ANY_CHARACTER = 16
PARTS_OF_ONE = 6  # a class of more letters and ranges takes more room, wherever it is repeated
LONGEST_TEXT = 128  # of what is matched
UNLIKE = "may have letters, ASCII classes such as [0-9A-Z], groups, | and one level of repetition"

# `[a&&b]`, `{,5}` and `a$b` mean one thing to one engine and another to the next.
_ESCAPED = r"\\[.+*?()|\[\]{}^$\-#&~\\]"
_IN_CLASS = rf"(?:{_ESCAPED}|[^\\\[\]&~\-\x00-\x1f\x7f])"
_CLASS = rf"\[\^?-?(?:{_IN_CLASS}(?:-{_IN_CLASS})?)*-?\]"
_REPEATED = r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}"
_GROUP = r"\(\?:|\((?!\?)|\)"
_ONE = r"[^\\\[\](){}|^$*+?\x00-\x1f\x7f]"
_READ_ALIKE = re.compile(rf"\^?(?:{_ESCAPED}|{_CLASS}|{_REPEATED}|{_GROUP}|\||{_ONE})*\$?")


def _safe_pattern(pattern: object) -> object:
    if not isinstance(pattern, str):
        raise ValueError("must be a pattern in quotes")  # noqa: TRY004 - pydantic wants a ValueError
    if len(pattern) > MAX_PATTERN or not pattern.isascii():
        raise ValueError(f"must be at most {MAX_PATTERN} ASCII characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes that are refused below
            parsed = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        raise ValueError("is not a regular expression") from None
    if not _READ_ALIKE.fullmatch(pattern):
        raise ValueError(UNLIKE)
    _allowed(parsed, repeated=False)
    if _attempts(parsed) > MAX_ATTEMPTS:
        raise ValueError("could take too long: repeat less, and have no | in what is repeated")
    if _size(parsed) > MAX_SIZE:
        raise ValueError("is too large once it is written out: repeat less")
    return pattern


def _allowed(parsed: Any, *, repeated: bool) -> None:
    for code, argument in parsed:
        if code in {_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.AT}:
            continue
        if code is _constants.IN and all(part is not _constants.CATEGORY for part, _ in argument):
            continue
        if code is _constants.SUBPATTERN and not argument[1] and not argument[2]:
            _allowed(argument[3], repeated=repeated)
        elif code is _constants.BRANCH:
            for branch in argument[1]:
                _allowed(branch, repeated=repeated)
        elif code is _constants.MAX_REPEAT and not repeated:
            least, most, part = argument
            if max(least, 0 if most is _constants.MAXREPEAT else most) > MAX_REPEAT:
                raise ValueError(f"must not repeat anything more than {MAX_REPEAT} times")
            _allowed(part, repeated=True)
        else:
            raise ValueError(UNLIKE)


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


def _size(parsed: Any) -> int:
    """Written out, in ASCII characters. Engines compile any other character into several."""
    size = 0
    for code, argument in parsed:
        if code is _constants.SUBPATTERN:
            size += _size(argument[3])
        elif code is _constants.BRANCH:
            size += sum(_size(branch) for branch in argument[1])
        elif code is _constants.MAX_REPEAT:
            least, most, part = argument
            size += _size(part) * max(1, least if most is _constants.MAXREPEAT else most)
        elif _any_character(code, argument):
            size += ANY_CHARACTER
        else:
            size += 1 + (len(argument) // PARTS_OF_ONE if code is _constants.IN else 0)
    return size


def _any_character(code: Any, argument: Any) -> bool:
    negated = code is _constants.IN and argument[0][0] is _constants.NEGATE
    return negated or code in {_constants.ANY, _constants.NOT_LITERAL}


Pattern = Annotated[str, BeforeValidator(_safe_pattern)]
