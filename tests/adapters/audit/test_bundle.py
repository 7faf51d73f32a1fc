"""A bundle verifies by itself, and says what is wrong with it, whatever was changed."""

import ast
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from adapters.audit import chain, verify_bundle
from adapters.audit.bundle import NotSealedYet, OutputExists, write_bundle
from adapters.audit.verify_bundle import BUNDLE_PURPOSE, MANIFEST, SIGNATURE, sha256
from domain.approval import ApprovalStatus
from domain.ports import ArtifactKind
from tests.adapters.audit.bundled import (
    CLASSIFIER,
    PUBLISHED,
    a_history,
    a_maker,
    archive,
    refunded,
)
from tests.adapters.audit.chained import SIGNER
from tests.adapters.postgres import story as stories
from tests.adapters.postgres.story import Story


@pytest.fixture
def told(story: Story, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setattr(stories, "POLICY", sha256(PUBLISHED.encode()))
    return story


@pytest.fixture
async def files(told: Story) -> dict[str, bytes]:
    await refunded(told)
    return await a_maker(told, await a_history(told)).files(told.ticket)


@pytest.fixture
def bundle(files: dict[str, bytes], tmp_path: Path) -> Path:
    write_bundle(files, tmp_path / "bundle")
    return tmp_path / "bundle"


def verified(bundle: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """As an auditor runs it, with nothing of ours within reach."""
    program = [sys.executable, "-I", "verify_bundle.py", *options]
    return subprocess.run(program, cwd=bundle, capture_output=True, text=True, check=False)  # noqa: S603 - our own program


def test_a_bundle_is_intact(bundle: Path) -> None:
    done = verified(bundle, "--key", SIGNER.key_id)

    assert done.returncode == 0, done
    assert done.stdout.count("ok     ") == 6
    assert "The bundle is intact" in done.stdout


def test_a_bundle_holds_everything_but_what_is_personal(files: dict[str, bytes]) -> None:
    everything = b"".join(content for name, content in files.items() if not name.endswith(".py"))
    texts = [content for name, content in files.items() if name.startswith("artifacts/")]
    states = {row["id"].partition("_")[0]: row["state"] for row in json.loads(files["artifacts.json"])}

    assert texts == [b"[[PERSON_1_k7]] wants her money back"]
    assert states == {ArtifactKind.RAW: "withheld", ArtifactKind.CONVERSATION: "included"}
    assert b"Lovelace" not in everything
    assert json.loads(files["effects.json"])[0]["receipt_id"] == "refund_1"
    assert json.loads(files["versions.json"]) == [{"version": CLASSIFIER, "what": "classifier"}]
    decoded = json.loads(files["runs/0001-ticket-run-1.decoded.json"])
    assert decoded["events"][0]["result"]["payloads"] == [{"triage": {"classifier": CLASSIFIER}}]
    assert decoded["events"][1]["details"]["payloads"] == [{"activity_type": "triage"}]


def test_other_events_of_the_tenant_appear_as_digests_only(files: dict[str, bytes]) -> None:
    links = [json.loads(line) for line in files["chain.jsonl"].splitlines()]
    kinds = [link["kind"] for link in links if link["type"] == "link" and "kind" in link]
    hidden = [link for link in links if link["type"] == "link" and "kind" not in link]

    assert set(kinds) == {"approval_approved", "effect_claimed", "effect_sent", "effect_confirmed"}
    assert hidden
    assert all(set(link) == {"type", "tenant", "sequence", "event", "previous", "link"} for link in hidden)


async def test_the_same_records_give_the_same_bytes(
    told: Story, files: dict[str, bytes], bundle: Path, tmp_path: Path
) -> None:
    again = await a_maker(told, files["runs/0001-ticket-run-1.json"].decode()).files(told.ticket)
    for name in ("one.zip", "two.zip"):
        write_bundle(again, tmp_path / name)

    assert again == files
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_zipped_bundle_is_intact(files: dict[str, bytes], tmp_path: Path) -> None:
    write_bundle(files, tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as packed:
        packed.extractall(tmp_path / "unpacked")

    assert verified(tmp_path / "unpacked").returncode == 0


def test_an_export_writes_over_nothing(files: dict[str, bytes], bundle: Path) -> None:
    with pytest.raises(OutputExists, match="exists"):
        write_bundle(files, bundle)


async def test_what_is_not_sealed_is_not_exported(told: Story) -> None:
    await refunded(told)
    again = await told.asked(await told.decided(turn=1), stories.a_refund(5))
    await told.approvals.close(told.ticket, again.approval_id, ApprovalStatus.REJECTED)

    with pytest.raises(NotSealedYet, match="1 events"):
        await a_maker(told, await a_history(told)).files(told.ticket)


async def test_an_erased_ticket_still_has_its_evidence(told: Story, tmp_path: Path) -> None:
    await refunded(told)
    history = await a_history(told)
    await told.keys.destroy_ticket_key(told.ticket.tenant_id, told.ticket.ticket_id)

    files = await a_maker(told, history).files(told.ticket)
    write_bundle(files, tmp_path / "bundle")

    assert verified(tmp_path / "bundle").returncode == 0
    assert not [name for name in files if name.startswith("artifacts/")]
    assert {row["state"] for row in json.loads(files["artifacts.json"])} == {"withheld", "erased"}


# --- what must be found ------------------------------------------------------------------------------


def _flips(bundle: Path) -> Iterator[tuple[Path, int]]:
    for path in sorted(path for path in bundle.rglob("*") if path.is_file()):
        size = path.stat().st_size
        seed = int(hashlib.sha256(path.name.encode()).hexdigest(), 16)
        yield from ((path, place) for place in {size - 1, seed % size})


def test_any_flipped_byte_in_any_file_is_found(bundle: Path) -> None:
    """The verifier itself is checked by a copy of it: a changed one may say anything."""
    verifier = bundle.parent / "trusted.py"
    shutil.copy(bundle / "verify_bundle.py", verifier)

    for path, place in _flips(bundle):
        content = bytearray(path.read_bytes())
        content[place] ^= 0x01
        changed, whole = bytes(content), path.read_bytes()
        path.write_bytes(changed)
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", str(verifier), str(bundle)], capture_output=True, text=True, check=False
        )
        path.write_bytes(whole)
        assert done.returncode == 1, (path, place, done.stdout)
        assert "WRONG" in done.stdout
        assert "Traceback" not in done.stderr


@pytest.fixture
async def archived_bundle(told: Story, tmp_path: Path) -> Path:
    """Its run is in the archive, and the chain says so."""
    history = await a_history(told)
    await archive(told, history)
    await refunded(told)
    write_bundle(await a_maker(told, history).files(told.ticket), tmp_path / "archived")
    return tmp_path / "archived"


def _rewritten(bundle: Path, name: str, change: Callable[[Any], None]) -> None:
    rows = json.loads((bundle / name).read_bytes())
    change(rows)
    (bundle / name).write_text(json.dumps(rows), encoding="utf-8")


def remove_event(bundle: Path) -> None:
    lines = (bundle / "chain.jsonl").read_bytes().splitlines(keepends=True)
    (bundle / "chain.jsonl").write_bytes(b"".join(lines[1:]))


def edit_event(bundle: Path) -> None:
    chain = bundle / "chain.jsonl"
    chain.write_bytes(chain.read_bytes().replace(b"effect_confirmed", b"effect_compensat", 1))


def forge_head(bundle: Path) -> None:
    chain = bundle / "chain.jsonl"
    records = [json.loads(line) for line in chain.read_bytes().splitlines()]
    records[-1]["signature"] = "00" * 64
    chain.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def remove_decision(bundle: Path) -> None:
    _rewritten(bundle, "decisions.json", lambda rows: rows.clear())


def edit_input(bundle: Path) -> None:
    _rewritten(bundle, "decisions.json", lambda rows: rows[0]["input"].update(mode="observe"))


def deny(bundle: Path) -> None:
    _rewritten(bundle, "decisions.json", lambda rows: rows[0].update(verdict="deny"))


def deny_at_the_claim(bundle: Path) -> None:
    _rewritten(bundle, "decisions.json", lambda rows: rows[-1].update(verdict="deny"))


def change_gate(bundle: Path) -> None:
    _rewritten(bundle, "decisions.json", lambda rows: rows[-1].update(effect_id="eff_" + "0" * 40))


def change_approval(bundle: Path) -> None:
    _rewritten(bundle, "approvals.json", lambda rows: rows[0].update(action_digest="sha256:" + "0" * 64))


def change_vote(bundle: Path) -> None:
    _rewritten(
        bundle, "approvals.json", lambda rows: rows[0]["votes"][0].update(action_digest="sha256:" + "0" * 64)
    )


def change_seal(bundle: Path) -> None:
    _rewritten(bundle, "approvals.json", lambda rows: rows[0].update(seal="sha256:" + "0" * 64))


def raise_amount(bundle: Path) -> None:
    _rewritten(
        bundle,
        "effects.json",
        lambda rows: rows[0]["proposed"]["action"]["amount"].update(minor_units=199900),
    )


def change_receipt(bundle: Path) -> None:
    _rewritten(bundle, "effects.json", lambda rows: rows[0].update(receipt_id="refund_2"))


def change_state(bundle: Path) -> None:
    _rewritten(bundle, "effects.json", lambda rows: rows[0].update(state="compensated"))


def change_policy(bundle: Path) -> None:
    next((bundle / "policies").iterdir()).write_text("{}", encoding="utf-8")


def remove_policy(bundle: Path) -> None:
    next((bundle / "policies").iterdir()).unlink()


ATTACKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "event removed": (remove_event, "is not complete: events were removed"),
    "event edited": (edit_event, "is not the event that was sealed"),
    "head forged": (forge_head, "is not signed by the bundle's key"),
    "decision removed": (remove_decision, ": there is no decision dec_"),
    "input edited": (edit_input, "its input is not the one it was made from"),
    "verdict changed": (deny, "its decision says deny"),
    "verdict at the claim changed": (deny_at_the_claim, "the decision that let it out says deny"),
    "decision of another effect": (change_gate, "the decision that let it out is about something else"),
    "approval of another action": (change_approval, "its approval is about another action"),
    "vote on another action": (change_vote, "is about something else"),
    "seal changed": (change_seal, "the chain knows no such seal"),
    "amount raised": (raise_amount, "what was proposed is not what its digest names"),
    "receipt changed": (change_receipt, "the chain knows another receipt"),
    "state changed": (change_state, "the chain does not know that it is compensated"),
    "policy changed": (change_policy, "is not what its version names"),
    "policy removed": (remove_policy, "is not in the bundle"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_named_even_where_the_manifest_was_made_anew(bundle: Path, attack: str) -> None:
    """Signed with the real key, so that nothing but the check itself can find it."""
    change, sentence = ATTACKS[attack]
    change(bundle)
    sign_anew(bundle)

    done = verified(bundle)

    assert done.returncode == 1, done
    assert "ok     every file is what was exported" in done.stdout
    assert sentence in done.stdout, done.stdout


def remove_run(bundle: Path) -> None:
    _rewritten(bundle, "runs.json", lambda rows: rows.clear())
    for path in (bundle / "runs").iterdir():
        path.unlink()


def edit_run(bundle: Path) -> None:
    path = bundle / "runs" / "0001-ticket-run-1.json"
    path.write_bytes(path.read_bytes().replace(b"events", b"evenly", 1))


RUN_ATTACKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "run removed": (remove_run, "Run run-1 was archived and is not in the bundle"),
    "run edited": (edit_run, "Run run-1 is not the one that was archived"),
}


def test_archived_run_is_found_as_it_was_archived(archived_bundle: Path) -> None:
    done = verified(archived_bundle)

    assert (done.returncode, "ok     archived runs are what was archived" in done.stdout) == (0, True)


@pytest.mark.parametrize("attack", RUN_ATTACKS)
def test_archived_run_that_is_missing_or_another_is_named(archived_bundle: Path, attack: str) -> None:
    change, sentence = RUN_ATTACKS[attack]
    change(archived_bundle)
    sign_anew(archived_bundle)

    done = verified(archived_bundle)

    assert (done.returncode, sentence in done.stdout) == (1, True), done.stdout


def sign_anew(bundle: Path) -> None:
    """As whoever holds the real key could."""
    paths = [path for path in bundle.rglob("*") if path.is_file() and path.name not in (MANIFEST, SIGNATURE)]
    listed = {path.relative_to(bundle).as_posix(): sha256(path.read_bytes()) for path in paths}
    manifest = json.dumps({"files": listed}).encode()
    (bundle / MANIFEST).write_bytes(manifest)
    (bundle / SIGNATURE).write_text(SIGNER.sign(BUNDLE_PURPOSE, sha256(manifest)), encoding="ascii")


def test_a_file_that_was_added_is_found(bundle: Path) -> None:
    (bundle / "artifacts" / "more").write_text("more", encoding="utf-8")

    assert "artifacts/more is not in the manifest" in verified(bundle).stdout


def test_a_bundle_of_another_key_is_not_trusted(bundle: Path) -> None:
    done = verified(bundle, "--key", "sha256:" + "0" * 64)

    assert done.returncode == 1
    assert "not the one to be trusted" in done.stdout


@pytest.mark.parametrize("program", [chain, verify_bundle])
def test_a_verifier_imports_nothing_of_ours(program: ModuleType) -> None:
    tree = ast.parse(Path(str(program.__file__)).read_text(encoding="utf-8"))
    found = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    found |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    roots = {name.partition(".")[0] for name in found}

    assert roots - set(sys.stdlib_module_names) == {"cryptography"}
