"""Patterns that engines of different make would read differently are refused."""

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters.policy.patterns import Pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "refund_[a-z]+",
        "^a|b$",
        "[A-Z0-9_-]{2,3}",
        "(?:a|b)*",
        "[^a]",
        r"1\.5",
        r"[\]\\a\-z]",
        "[-a]",
        "x{2,}",
        "a b",
    ],
)
def test_pattern_is_accepted(pattern: str) -> None:
    assert TypeAdapter(Pattern).validate_python(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?i)a", "flags"),
        ("(?P<name>a)", "names"),
        ("(?=a)", "looking ahead"),
        ("a{,5}", "to Go these are letters"),
        ("[[:alpha:]]", "a class to Go, letters to Python"),
        ("[a&&b]", "the common part to Rust"),
        ("[a~~b]", "the difference to Rust"),
        ("[a--b]", "the rest to Rust"),
        ("a$b", "to Python $ is also before the last line break"),
        ("a|^b", "the same"),
        (r"a\Z", "unknown to Go"),
        (r"\bword", "unlike beside letters that are not ASCII"),
        (r"\u0041", "unknown to Go"),
        (r"\d", "all digits to Rust"),
        ("a\nb", "a line break"),
        ("a*?", "as little as can be"),
        ("a++", "unknown to Go"),
        ("(a*)*", "slow"),
        ("a{1,101}", "slow"),
        ("(", "no pattern"),
        ("ä", "not ASCII"),
    ],
)
def test_pattern_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Pattern).validate_python(pattern)
