"""What happened to a ticket is told for ever, and in the same bytes, also when Temporal has forgotten it."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.archiver import unarchived
from adapters.postgres.archive import ArchivedRuns
from cli import bundle as bundle_command
from cli import recorded
from cli.demo_watch import Sent
from domain.history import RunKind
from tests.end_to_end.forgetting import LONG_S, archived, forget
from tests.end_to_end.polling import eventually
from tests.end_to_end.system import BOOKS, REJECT, Person, Said, System
from workflows.approval import ApprovalWorkflow

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]

COMMANDS = (("trace",), ("replay",), ("replay", "--archive-only"), ("bundle",), ("bundle", "--turn", "1"))


async def _rejected(system: System, name: str) -> Sent:
    by = Person(name, name.lower().replace(" ", ".") + "@example.com")
    order = await system.sell(BOOKS, by, 72_00)
    words = f"The book of my order {order} arrived damaged, the spine is broken. Please refund it."
    sent = await system.write(BOOKS, by, "Damaged book", words)
    await system.click("U0MARTA", REJECT, await system.card(sent), "The photo shows another book")
    await system.rest(sent)
    await system.quiet(sent)
    return sent


async def _said(system: System, sent: Sent) -> list[Said]:
    return [await system.command("ticket", command, sent.name, *more) for command, *more in COMMANDS]


async def test_trace_replay_and_bundle_are_the_same_when_temporal_has_forgotten(
    system: System, tmp_path: Path
) -> None:
    sent = await _rejected(system, "Imke Alt")
    kept = await archived(system, sent)
    first, again = tmp_path / "first", tmp_path / "again"
    before = await _said(system, sent)
    await system.command("ticket", "bundle", sent.name, "--output", str(first))

    await forget(await system.connected.temporal(), kept)

    assert await _said(system, sent) == before
    assert (await system.command("ticket", "bundle", sent.name, "--output", str(again))).code == 0
    assert first.read_bytes() == again.read_bytes()
    assert {row.run.kind for row in kept} == set(RunKind)
    assert [(said.code, said.errors) for said in before] == [(0, "")] * len(COMMANDS)


@pytest.fixture(scope="module")
async def rejected(system: System) -> Sent:
    return await _rejected(system, "Jette Neu")


async def test_bundle_is_the_note_that_the_teammates_got(system: System, rejected: Sent) -> None:
    said = await system.process("ticket", "bundle", rejected.name)

    assert (said.code, said.errors) == (0, "")
    assert "Reason: The photo shows another book" in said.out
    assert said.out.rstrip("\n") in await system.notes(rejected)


async def test_replay_says_in_a_sentence_what_differs(
    system: System, rejected: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "WORKFLOWS", (ApprovalWorkflow,))

    replay = await system.command("ticket", "replay", rejected.name)
    bundle = await system.command("ticket", "bundle", rejected.name)

    assert (replay.code, replay.errors) == (1, "")
    assert "The workflow fails with NotFoundError" in replay.out
    assert (bundle.code, bundle.out) == (1, "")
    assert "does not replay with this release" in bundle.errors
    assert "Traceback" not in replay.out + bundle.errors


async def test_bundle_that_comes_out_otherwise_is_told(
    system: System, rejected: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_command, "RENDERERS", {"1": lambda *_: "Another story"})

    said = await system.command("ticket", "bundle", rejected.name)

    assert said.code == 1
    assert "The bundle is not what was stored" in said.errors


@pytest.mark.parametrize(("turn", "sentence"), [("2", "Turn 2 of"), ("0", "not in the range")])
async def test_turn_that_was_not_handed_over_is_told(
    system: System, rejected: Sent, turn: str, sentence: str
) -> None:
    said = await system.command("ticket", "bundle", rejected.name, "--turn", turn)

    assert said.code != 0
    assert sentence in said.errors


async def test_every_archived_run_is_in_the_audit_log_once(system: System) -> None:
    sent = await _rejected(system, "Karla Kern")
    kept = await archived(system, sent)

    audited = await system.records.rows(
        "SELECT content ->> 'run', content ->> 'digest', content ->> 'artifact'"
        " FROM countersign.audit_events WHERE kind = 'history_archived' AND content ->> 'ticket_id' = %s",
        str(sent.ticket.ticket_id),
    )

    assert sorted(audited) == sorted((str(row.run.run_id), row.digest, row.artifact) for row in kept)


async def test_erased_ticket_leaves_tombstones(system: System) -> None:
    sent = await _rejected(system, "Lale Lang")
    kept = await archived(system, sent)
    await system.connected.keys.destroy_ticket_key(sent.ticket.tenant_id, sent.ticket.ticket_id)

    bundle = await system.command("ticket", "bundle", sent.name)
    await forget(await system.connected.temporal(), kept)
    trace = await system.command("ticket", "trace", sent.name)
    replay = await system.command("ticket", "replay", sent.name)
    listed = await system.command("ticket", "list", BOOKS)

    assert (bundle.code, "was erased" in bundle.errors, "[erased]" in bundle.out) == (0, True, True)
    assert "another book" not in bundle.out
    assert (trace.code, replay.code, listed.code) == (0, 0, 0)
    assert "erased" in trace.out
    assert f"0 of {len(kept)} runs replayed" in replay.out


async def test_what_is_not_archived_is_named_for_the_alarm(system: System) -> None:
    rows, client = ArchivedRuns(system.connected.app), await system.connected.temporal()

    async def none() -> bool:
        return not await unarchived(client, rows, older_than=timedelta(0))

    await eventually(none, "an archive without gaps", LONG_S)


@pytest.mark.parametrize("command", ["replay", "bundle"])
async def test_unknown_ticket_is_answered_in_a_sentence(system: System, command: str) -> None:
    said = await system.command("ticket", command, f"{BOOKS}/987654")

    assert said.code == 1
    assert "Nobody has worked on ticket" in said.errors
    assert len(said.errors.strip().splitlines()) == 1
