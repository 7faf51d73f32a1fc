"""A ticket of forty days ago: Temporal has forgotten it, and every command answers as on the day it ended."""

import asyncio
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import LiteralString

import pytest

from cli.demo_watch import Sent
from tests.end_to_end.forgetting import LONG_S, archived, forget
from tests.end_to_end.polling import eventually
from tests.end_to_end.system import APPROVE, BOOKS, REJECT, Person, Said, System

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]

COMMANDS = ("show", "trace", "replay", "bundle")
UNSEALED: LiteralString = "SELECT event_id FROM countersign.audit_pending LIMIT 1"
# An auditor has Python and one package: nothing of ours, and nothing else that we use.
PACKAGES = ("cryptography", "cffi", "_cffi_backend", "pycparser")
VERIFY = """
import importlib.util, runpy, sys
sys.path.append(sys.argv.pop(1))
assert not any(map(importlib.util.find_spec, ("adapters", "domain", "temporalio", "sqlalchemy")))
sys.argv[0] = "verify_bundle.py"
runpy.run_path("verify_bundle.py", run_name="__main__")
"""


async def _ended(system: System, name: str, vote: str) -> Sent:
    by = Person(name, name.lower().replace(" ", ".") + "@example.com")
    order = await system.sell(BOOKS, by, 83_00)
    words = f"The book of my order {order} arrived damaged, the spine is broken. Please refund it."
    sent = await system.write(BOOKS, by, "Damaged book", words)
    await system.click("U0MARTA", vote, await system.card(sent), "As the photo shows")
    await system.rest(sent)
    await system.quiet(sent)
    return sent


async def _all_sealed(system: System) -> None:
    async def sealed() -> bool:
        return not await system.records.rows(UNSEALED)

    await eventually(sealed, "a seal on every event", LONG_S)


async def _said(system: System, sent: Sent) -> list[Said]:
    return [await system.command("ticket", command, sent.name) for command in COMMANDS]


async def _exported(system: System, sent: Sent, folder: Path) -> Mapping[str, bytes]:
    said = await system.command("audit", "export", sent.name, "--output", str(folder))
    assert (said.code, said.errors) == (0, "")
    return _read(folder)


def _read(folder: Path) -> Mapping[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def only_cryptography(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The auditor's packages."""
    folder = tmp_path_factory.mktemp("auditor")
    for name in PACKAGES:
        if (spec := find_spec(name)) is None or spec.origin is None:
            continue  # pycparser is needed for building only
        origin = Path(spec.origin)
        place = origin.parent if spec.submodule_search_locations else origin
        (folder / place.name).symlink_to(place)
    return folder


async def _verified(bundle: Path, packages: Path) -> tuple[int, str]:
    auditor = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        "-c",
        VERIFY,
        str(packages),
        cwd=bundle,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await auditor.communicate()
    return auditor.returncode or 0, said.decode()


@pytest.mark.parametrize(
    ("name", "vote", "has_bundle"), [("Nora Lang", APPROVE, False), ("Ole Wirth", REJECT, True)]
)
async def test_ticket_of_forty_days_ago_is_told_as_on_the_day_it_ended(
    system: System, tmp_path: Path, only_cryptography: Path, name: str, vote: str, *, has_bundle: bool
) -> None:
    sent = await _ended(system, name, vote)
    kept = await archived(system, sent)
    await _all_sealed(system)
    told, evidence = await _said(system, sent), await _exported(system, sent, tmp_path / "before")
    audited = await system.command("audit", "verify")

    await forget(await system.connected.temporal(), kept)

    assert await _said(system, sent) == told
    assert await _exported(system, sent, tmp_path / "after") == evidence
    code, words = await _verified(tmp_path / "after", only_cryptography)
    assert (code, "The bundle is intact" in words) == (0, True), words
    again = await system.command("audit", "verify")
    assert (again.code, again.out) == (audited.code, audited.out) == (0, "intact\n")
    assert [said.code for said in told] == [0, 0, 0, 0 if has_bundle else 1]
    assert sum(path.endswith(".decoded.json") for path in evidence) == len(kept)


async def test_auditor_notices_one_changed_byte(
    system: System, tmp_path: Path, only_cryptography: Path
) -> None:
    sent = await _ended(system, "Pia Stern", REJECT)
    await forget(await system.connected.temporal(), await archived(system, sent))
    await _exported(system, sent, tmp_path / "bundle")
    run = next((tmp_path / "bundle" / "runs").glob("*ticket*.decoded.json"))
    run.write_bytes(run.read_bytes().replace(b"e", b"E", 1))

    code, words = await _verified(tmp_path / "bundle", only_cryptography)

    assert code == 1
    assert "WRONG" in words
    assert run.name in words
