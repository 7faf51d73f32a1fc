"""`countersign audit` on copies, and on what is none. The database side is in `tests/adapters/audit/`."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from cli.__main__ import run
from tests.adapters.audit.chained import SIGNER, a_copy, happen, seal
from tests.conftest import Databases


@pytest.fixture
async def copy(databases: Databases, tenant_id: UUID, tmp_path: Path) -> Path:
    await happen(databases, tenant_id, 3)
    await seal(databases)
    path = tmp_path / "copy.jsonl"
    path.write_text("".join(await a_copy(databases)), encoding="utf-8")
    return path


def test_a_copy_that_is_intact_is_code_0(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "verify", "--file", str(copy), "--key", SIGNER.key_id]) == 0

    assert capsys.readouterr().out == "intact\n"


def test_a_copy_that_was_changed_is_code_1_and_named(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy.write_text(copy.read_text(encoding="utf-8").replace('{\\"number\\": 2}', "{}"), encoding="utf-8")

    assert run(["audit", "verify", "--file", str(copy)]) == 1

    assert "EDITED  tenant" in capsys.readouterr().out


def test_kept_heads_find_a_dropped_stream_in_a_copy(
    copy: Path, tenant_id: UUID, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = copy.read_text(encoding="utf-8").splitlines(keepends=True)
    heads = tmp_path / "heads.jsonl"
    heads.write_text("".join(line for line in lines if '"type":"head"' in line), encoding="utf-8")
    left = [line for line in lines if json.loads(line).get("tenant") != str(tenant_id)]
    copy.write_text("".join(left), encoding="utf-8")

    assert run(["audit", "verify", "--file", str(copy), "--heads", str(heads)]) == 1

    assert f"DROPPED STREAM  tenant {tenant_id}: it had" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"no JSON\n", b"\xff\xfe", b"[]\n", b'{"type":"copy"}\n'])
def test_what_is_no_copy_is_one_sentence(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "copy.jsonl"
    path.write_bytes(content)

    assert run(["audit", "verify", "--file", str(path)]) != 0

    shown = capsys.readouterr()
    assert "cannot be read" in shown.err
    assert len(shown.err.splitlines()) == 1


def test_a_key_without_a_copy_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "verify", "--key", "sha256:x"]) == 1

    assert "Name the copy with --file" in capsys.readouterr().err


def test_a_chain_needs_a_file_to_go_to() -> None:
    assert run(["audit", "chain"]) == 2
