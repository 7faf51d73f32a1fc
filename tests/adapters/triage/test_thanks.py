"""Only a message that is nothing but thanks confirms an answer."""

import pytest

from adapters.triage.thanks import is_thanks


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "Thank you so much, that helped me.",
        "Great, that solved it. Thank you, [[PERSON_1_k7]]",
        "Cheers, everything works now",
        "Vielen Dank!\nDanke",
    ],
)
def test_nothing_but_thanks(text: str) -> None:
    assert is_thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, but it is still broken",
        "Thanks in advance for the refund",
        "Thank you. When will it arrive?",
        "Thanks, that didn't work",
        "Please cancel my order, thank you",
        "No thanks",
        "Great service, really great",
        "Thank you " * 40,
        "",
    ],
)
def test_thanks_with_anything_more_are_answered(text: str) -> None:
    assert not is_thanks(text)
