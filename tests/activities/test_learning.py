"""A teammate's answer in place of our draft becomes a labelled example without personal data."""

import pytest

from activities.learning import LearningActivities, LearnInput
from domain.conversation import Author
from domain.errors import RedactionFailed
from domain.learning import LONGEST_COMPARED, LeftDraft, edit_distance_permille
from domain.ports import ArtifactKind, Redactor
from tests.office import NAME, TICKET, Office

MESSAGE = "msg_" + 32 * "1"
TOKEN = "[[PERSON_1_k7]]"
DRAFT = f"Hello {TOKEN} the shop opens at nine"


class Broken:
    async def redact_text(self, *_: object) -> str:
        raise RedactionFailed


async def an_input(office: Office, *said: tuple[str, Author, bool]) -> LearnInput:
    office.write("When do you open?")
    for body, author, public in said:
        office.write(body, author, public=public)
    await office.vault.keep(TICKET, {TOKEN: NAME, "ticket.external_id": "1001"})
    content = office.helpdesk.tickets["1001"].model_dump_json().encode()
    draft = await office.artifacts.put(TICKET, ArtifactKind.DRAFT, DRAFT.encode())
    office.edits.drafts[TICKET] = LeftDraft(draft=draft, message=MESSAGE, turn=1)
    return LearnInput(ticket=TICKET, raw=await office.artifacts.put(TICKET, ArtifactKind.RAW, content))


def the_step(office: Office, redactor: Redactor | None = None) -> LearningActivities:
    return LearningActivities(
        artifacts=office.artifacts,
        vault=office.vault,
        redactor=redactor or office.redactor,
        edits=office.edits,
    )


async def test_edit_is_kept_redacted_with_its_distance_and_once() -> None:
    office = Office()
    teammate = f"Hello {NAME} the shop opens at ten"
    told = await an_input(
        office,
        ("An older word", Author.TEAMMATE, True),
        (teammate, Author.TEAMMATE, True),
        ("A note", Author.TEAMMATE, False),
    )

    learned = await the_step(office).learn(told)
    again = await the_step(office).learn(told)

    assert learned.edited is not None
    kept = (await office.artifacts.get(TICKET, learned.edited)).decode()
    assert kept == f"Hello {TOKEN} the shop opens at ten"
    assert learned.distance_permille == 143  # one word of seven
    assert (learned.recorded, again.recorded) == (True, False)
    [edit] = office.edits.edits.values()
    assert (edit.draft, edit.edited) == (office.edits.drafts[TICKET].draft, learned.edited)
    assert edit.edited.startswith("edit_")


async def test_nothing_is_kept_where_no_teammate_spoke_in_public() -> None:
    office = Office()
    learned = await the_step(office).learn(await an_input(office, ("A note", Author.TEAMMATE, False)))

    assert (learned.edited, learned.distance_permille, office.edits.edits) == (None, None, {})


async def test_word_said_before_the_customers_message_is_no_edit_of_the_draft() -> None:
    office = Office()
    told = await an_input(
        office,
        ("An answer of last week", Author.TEAMMATE, True),
        ("A new question, which our draft answers", Author.CUSTOMER, True),
    )

    learned = await the_step(office).learn(told)

    assert (learned.edited, office.edits.edits) == (None, {})


async def test_what_cannot_be_redacted_is_not_kept() -> None:
    office = Office()
    told = await an_input(office, ("Hello", Author.TEAMMATE, True))
    before = set(office.artifacts.blobs)

    with pytest.raises(RedactionFailed):
        await the_step(office, Broken()).learn(told)  # type: ignore[arg-type]

    assert (set(office.artifacts.blobs), office.edits.edits) == (before, {})


@pytest.mark.parametrize(
    ("draft", "edited", "distance"),
    [
        ("a b c d", "a b  c\nd", 0),
        ("a b c d", "a b x d", 250),
        ("a b", "c d", 1000),
        ("", "", 0),
        ("", "a", 1000),
        ("w " * LONGEST_COMPARED, "w " * LONGEST_COMPARED + "and more", 0),
    ],
)
def test_distance_is_the_share_of_words_that_do_not_match(draft: str, edited: str, distance: int) -> None:
    assert edit_distance_permille(draft, edited) == distance
