"""Personal data that a customer writes is nowhere but in the helpdesk and in what is sent back there."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest

from cli.demo_watch import Sent
from tests.end_to_end.canaries import Canary, found_in
from tests.end_to_end.planting import PLANTED
from tests.end_to_end.sweep import PLACES
from tests.end_to_end.system import APPROVE, BOOKS, REJECT, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(150)]

NAME, FIRST, LAST = "Zdeňka Škvorová", "Zdeňka", "Škvorová"
ZDENKA = Person(NAME, "zdenka.skvorova@example.com", "+49 351 5559 8146", "Krähenstieg 83, 01099 Dresden")
CARD, IBAN = "5105 1051 0510 5100", "DE02 1203 0000 0000 2020 51"
BORN, IP = "27 October 1967", "203.0.113.209"
SIGNED = f"I am {NAME}, born on {BORN}, of {ZDENKA.address}. Call {ZDENKA.phone} or write to {ZDENKA.email}."
PAID = f"I paid with card {CARD}, my bank account is {IBAN}, and I ordered from {IP}."


def _canaries(*orders: str) -> Sequence[Canary]:
    return [
        Canary("name", NAME),
        Canary("first name", FIRST),
        Canary("last name", LAST),
        Canary("e-mail", ZDENKA.email),
        Canary("phone", str(ZDENKA.phone)),
        Canary("phone at home", "0351 55598146"),
        Canary("street", "Krähenstieg"),
        Canary("card", CARD),
        Canary("account", IBAN),
        Canary("birth date", BORN),
        Canary("IP address", IP),
        *(Canary("order", order) for order in orders),
    ]


@pytest.fixture(scope="module")
async def canaries(system: System) -> Sequence[Canary]:
    """In subject and text of tickets on every road: answered, refunded, rejected, handed over, broken."""
    paid, refused, kept = [await system.sell(BOOKS, ZDENKA, cents) for cents in (120_00, 130_00, 20_00)]
    damaged = "arrived damaged, the cover is torn. Please refund it."
    answered = await _write(
        system, "How do I return a book?", "How can I send a book back, and how long do I have?"
    )
    refunded = await _write(system, f"Order {paid}", f"The book of my order {paid} {damaged}")
    rejected = await _write(system, f"Order {refused}", f"The book of my order {refused} {damaged}")
    handed_over = await _write(
        system, f"A person for {kept}", f"I want to speak to a person about {kept}, please."
    )
    quarantined = await _write(system, "Broken", "redaction-raises-in-its-child")
    await system.click("U0MARTA", APPROVE, await system.card(refunded))
    reason = f"{NAME} of {ZDENKA.email} has called from {ZDENKA.phone} about {refused}"
    await system.click("U0JONAS", REJECT, await system.card(rejected), reason=reason)
    ends = [
        (await system.rest(sent)).kind for sent in (answered, refunded, rejected, handed_over, quarantined)
    ]
    assert ends == ["answered", "refunded", "handed_over", "handed_over", "handed_over"]
    await _greeted_by_name(system, answered, refunded)
    return _canaries(paid, refused, kept)


async def _write(system: System, subject: str, question: str) -> Sent:
    subject = f"{subject} ({LAST}, {ZDENKA.phone})"
    return await system.write(BOOKS, ZDENKA, subject, f"Hello,\n{question}\n{SIGNED}\n{PAID}\nYours, {NAME}")


async def _greeted_by_name(system: System, *sent: Sent) -> None:
    """What a reply needs does reach the customer."""
    for one in sent:
        (reply,) = await system.replies(one)
        assert reply.startswith(f"Hello {NAME},"), reply.splitlines()[0]


@pytest.mark.parametrize("place", PLACES)
async def test_nothing_of_it_is_kept(system: System, canaries: Sequence[Canary], place: str) -> None:
    contents = await PLACES[place](system)

    assert contents
    assert {name: hits for name, content in contents.items() if (hits := found_in(content, canaries))} == {}


async def test_the_story_names_nothing_of_it(system: System, canaries: Sequence[Canary]) -> None:
    tickets = (await system.state(BOOKS))["tickets"]
    numbers = [ticket["id"] for ticket in tickets if ticket["requester"]["email"] == ZDENKA.email]

    for number in numbers:
        said = await system.command("ticket", "trace", f"{BOOKS}/{number}")
        assert (said.code, found_in((said.out + said.errors).encode(), canaries)) == (0, [])


async def test_the_helpdesk_has_it_so_the_search_can_find_it(
    system: System, canaries: Sequence[Canary]
) -> None:
    """A planted fault: the same search, where it must find."""
    brand = str((await system.state(BOOKS))["tickets"]).encode()

    found = found_in(brand, canaries)

    assert {canary.what for canary in canaries} - {"phone at home"} <= {
        name.partition(",")[0] for name in found
    }


SPELLINGS: Mapping[str, Callable[[str], bytes]] = {
    "plain": lambda text: text.encode(),
    "in capitals": lambda text: text.upper().encode(),
    "without blanks": lambda text: text.replace(" ", "").encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "hex of UTF-16": lambda text: text.encode("utf-16-le").hex().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 after one byte": lambda text: base64.b64encode(b"x" + text.encode() + b"yz"),
    "base64 after two bytes": lambda text: base64.b64encode(b"xx" + text.encode()),
    "UTF-16": lambda text: text.encode("utf-16"),
    "URL": lambda text: quote(text).encode(),
    "form": lambda text: urlencode({"x": text}).encode(),
    "JSON": lambda text: json.dumps(text).encode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_found(spelling: str) -> None:
    content = b"\0before" + SPELLINGS[spelling]("Maulwürfe 17") + b"after"

    assert found_in(content, [Canary("street", "Maulwürfe 17")])
    assert not found_in(content, [Canary("street", "Igelstrift 42")])


@pytest.mark.parametrize("place", PLACES)
async def test_what_is_planted_is_found_in(system: System, place: str) -> None:
    planted = Canary("planted", f"planted {uuid4()}")

    async with PLANTED[place](system, planted.value):
        contents = await PLACES[place](system)

    assert any(found_in(content, [planted]) for content in contents.values())
