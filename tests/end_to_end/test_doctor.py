"""The doctor of a whole system: a planted fault is named with its runbook, in words and for a monitor."""

import json
from uuid import uuid4

import pytest

from adapters.postgres.inbox import Arrival, InboxKind
from tests.end_to_end.system import BOOKS, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]

NOBODYS = "00000000-0000-4000-8000-000000000000"
OLE = Person("Ole Brandt", "ole.brandt@example.com")


async def test_a_planted_fault_is_named_and_gone_once_it_is_dealt_with(system: System) -> None:
    lost = Arrival(
        tenant_id=await system.connected.tenant(BOOKS),
        kind=InboxKind.HELPDESK,
        source="generic",
        delivery_key=uuid4().hex,
        body=b"{}",
    )
    delivery = str((await system.connected.door.accept(lost)).delivery_id)

    wrong = await system.command("doctor", "--json")
    in_words = await system.command("doctor")
    await system.command("inbox", "dismiss", BOOKS, delivery)
    after = await system.command("doctor", "--json")

    findings = {finding["what"]: finding for finding in json.loads(wrong.out)["findings"]}
    assert (wrong.code, in_words.code) == (1, 1)
    assert delivery in findings["unroutable"]["seen"]
    assert findings["unroutable"]["runbook"] == "docs/operating/runbooks.md#unroutable"
    assert "runbooks.md#unroutable" in in_words.out
    assert delivery not in after.out


async def test_only_what_is_unknown_can_be_settled(system: System) -> None:
    sent = await system.write(BOOKS, OLE, "Gift", "Do you offer gift wrapping for books?")
    await system.rest(sent)
    [done, *_] = await system.effects(sent)

    found = ("--principal", "U0MARTA", "--finding", "seen_at_provider")
    confirmed = await system.command("effect", "settle", BOOKS, done.id, *found)
    nothing = await system.command("effect", "settle", BOOKS, "0" * 64, *found)
    nobody = await system.command("effect", "settle", BOOKS, done.id, "--principal", "U0NOBODY", *found[2:])
    guessed = await system.command("effect", "settle", BOOKS, done.id, *found[:3], "perhaps")

    assert (confirmed.code, "nothing to settle" in confirmed.errors) == (1, True)
    assert (nothing.code, "no such effect" in nothing.errors) == (1, True)
    assert (nobody.code, "has no teammate 'U0NOBODY'" in nobody.errors) == (1, True)
    assert (guessed.code, "repaid_by_hand" in guessed.errors) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("inbox", "list", "nobody"),
        ("inbox", "list", BOOKS, "--older-than", "soon"),
        ("inbox", "list", BOOKS, "--state", "lost"),
        ("inbox", "redeliver"),
        ("inbox", "redeliver", BOOKS),
        ("inbox", "redeliver", BOOKS, "seven"),
        ("inbox", "redeliver", BOOKS, NOBODYS),
        ("inbox", "redeliver", BOOKS, NOBODYS, "--stuck"),
        ("inbox", "redeliver", "--all-of", "nowhere"),
        ("inbox", "dismiss", BOOKS, NOBODYS),
    ],
    ids=" ".join,
)
async def test_a_wish_that_cannot_be_met_is_one_sentence(system: System, arguments: tuple[str, ...]) -> None:
    said = await system.command(*arguments)

    assert said.code != 0
    assert "Traceback" not in said.errors
    assert said.errors.strip()


async def test_what_is_stuck_and_what_is_listed_is_nothing_in_a_system_at_rest(system: System) -> None:
    listed = await system.command("inbox", "list", "--state", "pending", "--older-than", "1m")
    stuck = await system.command("inbox", "redeliver", BOOKS, "--stuck")

    assert (listed.code, stuck.code) == (0, 0)
    assert "No such deliveries" in listed.out
    assert "Nothing waits there" in stuck.out
