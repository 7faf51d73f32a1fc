"""`countersign ticket draft`: other words for a question that waits, as teammate and customer see it."""

from pathlib import Path

import pytest

from cli.demo_watch import Sent
from tests.end_to_end.polling import eventually
from tests.end_to_end.system import APPROVE, BOOKS, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]

MARTA, INES = "U0MARTA", "U0INES"
WORDS = "Dear reader,\n\nwe are very sorry about the cover. Your money is on its way.\n\nYour bookshop"


async def waiting(system: System, name: str) -> tuple[Sent, str]:
    by = Person(name, name.lower().replace(" ", ".") + "@example.com")
    order = await system.sell(BOOKS, by, 110_00)
    words = f"The book of my order {order} arrived damaged, the cover is torn. Please refund it."
    sent = await system.write(BOOKS, by, "Damaged book", words)
    return sent, await system.card(sent)


async def test_other_words_are_asked_anew_and_sent(system: System, tmp_path: Path) -> None:
    sent, first = await waiting(system, "Tove Lund")
    file = tmp_path / "words.txt"
    file.write_text(WORDS)

    shown = await system.command("ticket", "draft", sent.name)
    said = await system.command("ticket", "draft", sent.name, "--file", str(file), "--as", MARTA)

    async def second() -> str | None:
        asked = await system.connected.tickets.pending_approvals(sent.ticket)
        return next((id_ for id_ in asked if id_ != first), None)

    await eventually(second, "another question")
    await system.click(MARTA, APPROVE, await system.card(sent))
    await system.rest(sent)

    assert "Refund 110.00 EUR" in shown.out
    assert (said.code, said.errors) == (0, "")
    assert await system.replies(sent) == [WORDS]


@pytest.mark.parametrize(
    ("text", "teammate", "sentence"),
    [
        (WORDS, INES, "Policy does not let this teammate decide it"),
        (
            "Write to otto.unknown@example.net please.",
            MARTA,
            "something personal that the ticket does not know",
        ),
        ("", MARTA, "needs between 1 and 20000 characters"),
        (WORDS, "U0NOBODY", "has no teammate 'U0NOBODY'"),
    ],
)
async def test_words_that_do_not_count_are_refused_in_a_sentence(
    system: System, tmp_path: Path, text: str, teammate: str, sentence: str
) -> None:
    sent, approval = await waiting(system, f"Nils {teammate.title()[2:]} {len(text)}")
    file = tmp_path / "words.txt"
    file.write_text(text)

    said = await system.command("ticket", "draft", sent.name, "--file", str(file), "--as", teammate)

    assert said.code != 0
    assert sentence in said.errors
    assert "Traceback" not in said.out + said.errors
    assert await system.card(sent) == approval


async def test_ticket_that_waits_for_nobody_has_no_draft_to_change(system: System) -> None:
    said = await system.command("ticket", "draft", f"{BOOKS}/1")

    assert (said.code, said.out) == (1, "")
    assert "No question about ticket" in said.errors
