"""Placeholders come back as values, worn or not, and never silently stay."""

import pytest

from activities.rehydration import rehydrated
from domain.errors import UnsafeText

VALUES = {"[[PERSON_1_k7]]": "Ada", "[[ORDER_12_k7]]": "[[PERSON_1_k7]]"}


@pytest.mark.parametrize(
    "worn",
    [
        "[[PERSON_1_k7]]",
        "[[person_1_K7]]",
        r"\[\[PERSON\_1\_k7\]\]",
        "[[ PERSON_1_k7 ]]",
        "[ [PERSON-1-k7] ]",
    ],
)
def test_worn_placeholder_is_recognised(worn: str) -> None:
    assert rehydrated(f"Hello {worn}!", VALUES) == "Hello Ada!"


def test_values_are_not_searched_for_placeholders() -> None:
    assert rehydrated("[[ORDER_12_k7]]", VALUES) == "[[PERSON_1_k7]]"


@pytest.mark.parametrize(
    "text", ["[[PERSON_2_k7]]", "[[PERSON_1_zz]]", "[[PERSON", "1_k7]]", "[[COLOUR_1_k7]]"]
)
def test_what_cannot_be_resolved_blocks_the_text(text: str) -> None:
    with pytest.raises(UnsafeText):
        rehydrated(f"Hello {text}", VALUES)


def test_ordinary_brackets_are_left_alone() -> None:
    assert rehydrated("See [1] and a[0]", VALUES) == "See [1] and a[0]"
