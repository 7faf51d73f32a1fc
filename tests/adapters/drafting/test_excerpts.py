import pytest

from adapters.drafting.excerpts import excerpt, paragraphs, plain
from adapters.drafting.terms import asking, stem, terms

STEPS = "Do this:\n\n1. Open it.\n\n2. Close it.\n\nThen rest."


def test_list_belongs_to_its_introduction() -> None:
    assert paragraphs(STEPS) == ["Do this:\n1. Open it.\n2. Close it.", "Then rest."]


def test_short_article_is_quoted_whole() -> None:
    assert excerpt("One.\n\nTwo.", {"two": 1.0}) == "One.\n\nTwo."


def test_long_article_is_quoted_from_where_it_answers() -> None:
    filler = "Something else entirely. " * 20
    body = f"{filler}\n\nBulbs are screwed in.\n\nMore about bulbs.\n\n{filler}"

    quoted = excerpt(body, {stem("bulbs"): 1.0, stem("screwed"): 1.0}, length=80)

    assert quoted == "Bulbs are screwed in.\n\nMore about bulbs."


def test_paragraph_that_is_too_long_is_cut_between_sentences() -> None:
    body = "Nothing here. " * 30 + "Bulbs are screwed in. Switch it on. " + "Nothing there. " * 30

    quoted = excerpt(body, {stem("bulbs"): 1.0}, length=60)

    assert quoted.startswith("Bulbs are screwed in.")
    assert quoted.endswith(".")
    assert len(quoted) <= 60


def test_steps_are_kept_whole_beyond_the_length() -> None:
    steps = "To do it:\n" + "\n".join(f"{number}. Turn the bulb." for number in range(1, 30))

    assert excerpt(steps, {stem("bulb"): 1.0}, length=50) == steps


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("## Heading\n\nText", "Heading\n\nText"),
        ("This is **bold** and __strong__.", "This is bold and strong."),
        ("See [our page](https://lamps.test/help).", "See our page (https://lamps.test/help)."),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("", ""),
    ],
)
def test_markdown_becomes_plain_text(markdown: str, text: str) -> None:
    assert plain(markdown) == text


@pytest.mark.parametrize(
    "family",
    [
        ("return", "returns", "returned", "returning"),
        ("ship", "ships", "shipped", "shipping"),
        ("deliver", "delivers", "delivered", "delivering"),
        ("change", "changes", "changed", "changing"),
        ("order's", "order", "orders"),
    ],
    ids=lambda family: family[0],
)
def test_forms_of_a_word_meet(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


def test_placeholders_and_polite_words_carry_no_meaning() -> None:
    assert terms("Hello [[PERSON_1_k7]], could you please help me?") == []


def test_sentences_that_ask_are_told_from_those_that_tell() -> None:
    assert asking("I love it. Where is the switch? My cat too.") == ["Where is the switch?"]
    assert asking("I love it. My cat too.") == ["I love it.", "My cat too."]
