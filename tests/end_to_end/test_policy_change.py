"""A changed policy file decides the next refund, not after a restart but at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.policy.file import parse
from cli.demo_watch import Sent
from cli.policy_publish import Agreed, put_in_force
from tests.end_to_end.system import APPROVE, BOOKS, Person, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]

AARO = Person("Aaro Vesa", "aaro.vesa@example.com")


async def test_a_lower_limit_makes_the_next_small_refund_wait(system: System, tmp_path: Path) -> None:
    assert (await system.rest((await _small_refund(system))[0])).kind == "refunded"

    async with _limit(system, tmp_path, "20.00") as said:
        sent, order = await _small_refund(system)
        card = await system.card(sent)
        waited = await system.refunds(BOOKS, order) == []
    await system.click("U0MARTA", APPROVE, card)

    assert "up to 20.00" in said
    assert waited
    assert (await system.rest(sent)).kind == "refunded"
    assert (await system.rest((await _small_refund(system))[0])).kind == "refunded"


async def test_a_yes_under_another_policy_is_still_a_yes_to_what_was_shown(
    system: System, tmp_path: Path
) -> None:
    """The limit is lowered while a card waits; what was shown has not changed."""
    by = Person("Ilse Vesa", "ilse.vesa@example.com")
    order = await system.sell(BOOKS, by, 90_00)
    words = f"The book of my order {order} arrived damaged. Please refund it."
    sent = await system.write(BOOKS, by, "Damaged book", words)
    card = await system.card(sent)

    async with _limit(system, tmp_path, "20.00"):
        await system.click("U0MARTA", APPROVE, card)
        ending = await system.rest(sent)

    assert ending.kind == "refunded"
    assert len(await system.refunds(BOOKS, order)) == 1


async def test_a_file_that_is_no_policy_changes_nothing(system: System, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text(system.policy_file(BOOKS).read_text().replace('"50.00"', '"fifty"'))

    said = await system.command("policy", "load", str(wrong), "--tenant", BOOKS)

    assert said.code != 0
    assert "Traceback" not in said.errors
    assert (await system.rest((await _small_refund(system))[0])).kind == "refunded"


async def _small_refund(system: System) -> tuple[Sent, str]:
    order = await system.sell(BOOKS, AARO, 30_00)
    words = f"The book of my order {order} arrived damaged. Please refund it."
    return await system.write(BOOKS, AARO, "Damaged book", words), order


@asynccontextmanager
async def _limit(system: System, folder: Path, limit: str) -> AsyncIterator[str]:
    """Another automatic limit until the end of the block."""
    original = system.policy_file(BOOKS)
    changed = folder / "policy.yaml"
    changed.write_text(original.read_text().replace('"50.00"', f'"{limit}"'))
    try:
        # An engine belongs to its thread, so this command needs a process of its own.
        said = await system.process("policy", "load", str(changed), "--tenant", BOOKS)
        assert (said.code, said.errors) == (0, "")
        yield said.out
    finally:
        await put_in_force(parse(original.read_text()), BOOKS, Agreed(), system.connected.settings)
