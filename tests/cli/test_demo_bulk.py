"""A file of texts is checked before anything is started for it."""

from pathlib import Path

import pytest

from cli.__main__ import run
from cli.demo_bulk import texts_of


@pytest.mark.parametrize("line", ["no JSON", "[]", '{"text": 1}', '{"text": " "}', '{"body": "x"}'])
def test_wrong_line_is_named_before_anything_starts(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("COUNTERSIGN_HOME", str(home))
    file = tmp_path / "texts.jsonl"
    file.write_text(f'{{"text": "Where is it?"}}\n{line}\n')

    assert run(["demo", "--once", "--tickets", str(file)]) == 1

    assert "Line 2 of texts.jsonl" in capsys.readouterr().err
    assert not home.exists()


def test_blank_lines_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text('\n{"text": "Where is it?"}\n\n')

    assert texts_of(file) == ["Where is it?"]


def test_file_in_another_encoding_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_bytes('{"text": "café"}'.encode("latin-1"))

    assert run(["demo", "--once", "--tickets", str(file)]) == 1

    assert "texts.jsonl is not UTF-8" in capsys.readouterr().err
