"""`countersign ticket take-over|hand-back|stop`, as a teammate says it and as the customer notices it."""

from contextlib import suppress

import httpx
import pytest

from cli.demo_watch import Sent
from tests.end_to_end.system import APPROVE, BOOKS, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]

MARTA, JONAS, INES = "U0MARTA", "U0JONAS", "U0INES"


async def asks_for_money(system: System, name: str) -> tuple[Sent, str]:
    by = Person(name, name.lower().replace(" ", ".") + "@example.com")
    order = await system.sell(BOOKS, by, 120_00)
    words = f"The book of my order {order} arrived damaged, the cover is torn. Please refund it."
    return await system.write(BOOKS, by, "Damaged book", words), order


@pytest.mark.parametrize(("word", "name"), [("take-over", "Ruth Ebner"), ("stop", "Olaf Brix")])
async def test_nothing_leaves_after_a_teammate_has_the_ticket(system: System, word: str, name: str) -> None:
    sent, order = await asks_for_money(system, name)
    card = await system.card(sent)

    said = await system.command("ticket", word, sent.name, "--as", JONAS)
    with suppress(httpx.HTTPStatusError):  # a run that was told has taken the buttons away
        await system.click(MARTA, APPROVE, card)
    await system.quiet(sent)

    assert (said.code, said.errors) == (0, "")
    assert f"{sent.name} is now owned by {JONAS} (owner epoch 1)" in said.out
    assert f"ticket trace {sent.name}" in said.out
    assert await system.refunds(BOOKS, order) == []
    assert await system.replies(sent) == []
    line = await system.line(sent)
    assert line is not None
    assert (line.owner, line.stage) == ("teammate", "handed_over")


async def test_ticket_goes_from_hand_to_hand_and_back(system: System) -> None:
    sent, _ = await asks_for_money(system, "Gesa Holm")
    await system.click(MARTA, APPROVE, await system.card(sent))
    await system.rest(sent)
    await system.quiet(sent)

    taken = await system.process("ticket", "take-over", sent.name, "--as", MARTA)
    again = await system.command("ticket", "take-over", sent.name, "--as", MARTA)
    refused = await system.command("ticket", "hand-back", sent.name, "--as", JONAS)
    held = await system.command("ticket", "show", sent.name)
    back = await system.command("ticket", "hand-back", sent.name, "--as", MARTA)
    await system.quiet(sent)

    assert (taken.code, taken.errors) == (0, "")
    assert f"is now owned by {MARTA} (owner epoch 1)\nIt has no run" in taken.out
    assert f"was already owned by {MARTA} (owner epoch 1)" in again.out
    assert f"owned by teammate {MARTA}," in held.out
    assert (refused.code, refused.out) == (1, "")
    assert refused.errors.startswith("Another teammate holds this ticket")
    assert "is now owned by automation (owner epoch 2)\nIts run knows" in back.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("take-over", f"{BOOKS}/1", "--as", "U0NOBODY"), "has no teammate 'U0NOBODY'"),
        (("take-over", f"{BOOKS}/1", "--as", INES), "This teammate is in no group"),
        (("hand-back", f"{BOOKS}/987654", "--as", MARTA), "Nobody has worked on this ticket yet"),
        (("stop", f"{BOOKS}/987654", "--as", MARTA), "Nobody has worked on this ticket yet"),
        (("stop", "1001", "--as", MARTA), "names no ticket"),
        (("take-over", "nobody/1001", "--as", MARTA), "No tenant is called 'nobody'"),
    ],
)
async def test_what_cannot_be_done_is_said_in_a_sentence(
    system: System, arguments: tuple[str, ...], sentence: str
) -> None:
    said = await system.command("ticket", *arguments)

    assert said.code != 0
    assert sentence in said.errors
    assert len(said.errors.strip().splitlines()) == 1
    assert "Traceback" not in said.out + said.errors
