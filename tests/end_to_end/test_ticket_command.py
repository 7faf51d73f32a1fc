"""`countersign ticket` tells what became of a ticket, in words, to a person in another terminal."""

import pytest

from cli.demo_watch import Sent
from tests.end_to_end.system import APPROVE, BOOKS, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
async def refunded(system: System) -> Sent:
    by = Person("Odil Brandt", "odil.brandt@example.com")
    order = await system.sell(BOOKS, by, 61_50)
    words = f"The book of my order {order} arrived damaged, the cover is torn. Please refund it."
    sent = await system.write(BOOKS, by, "Damaged book", words)
    await system.click("U0MARTA", APPROVE, await system.card(sent))
    await system.rest(sent)
    return sent


async def test_list_names_the_ticket_and_how_it_ended(system: System, refunded: Sent) -> None:
    said = await system.process("ticket", "list", BOOKS)

    (line,) = [line for line in said.out.splitlines() if line.split()[:1] == [refunded.name]]
    assert (said.code, said.errors) == (0, "")
    assert "settled" in line
    assert "refunded" in line


async def test_show_names_decisions_effects_and_the_next_command(system: System, refunded: Sent) -> None:
    said = await system.command("ticket", "show", refunded.name)

    assert (said.code, said.errors) == (0, "")
    for words in ("refund 61.50 EUR", "approval_needed", "confirmed", f"ticket trace {refunded.name}"):
        assert words in said.out


async def test_trace_tells_the_story_in_its_order(system: System, refunded: Sent) -> None:
    said = await system.command("ticket", "trace", refunded.name)

    steps = [line.split()[1] for line in said.out.splitlines()[1:] if line]
    assert (said.code, said.errors) == (0, "")
    told = ["start", "fetch", "redact", "triage", "look_up", "retrieve", "draft", "decide", "vote", "settle"]
    places = [steps.index(step) for step in told]
    assert places == sorted(places)
    assert "61.50 EUR" in said.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", f"{BOOKS}/987654"), "Nobody has worked on ticket"),
        (("trace", f"{BOOKS}/987654"), "Nobody has worked on ticket"),
        (("show", "nobody/1001"), "No tenant is called 'nobody'"),
        (("trace", "1001"), "names no ticket"),
        (("list", "nobody"), "No tenant is called 'nobody'"),
    ],
)
async def test_wrong_name_is_answered_in_a_sentence(
    system: System, arguments: tuple[str, ...], sentence: str
) -> None:
    said = await system.command("ticket", *arguments)

    assert said.code != 0
    assert sentence in said.errors
    assert len(said.errors.strip().splitlines()) == 1
    assert "Traceback" not in said.out + said.errors
