"""`countersign measures` and `ticket judge`, as a person reads them at a terminal."""

import json
from pathlib import Path

import pytest

from cli.__main__ import run

Shown = pytest.CaptureFixture[str]


def test_tenant_without_tickets_has_numbers_of_nothing(tenant: str, tmp_path: Path, capsys: Shown) -> None:
    export = tmp_path / "export.jsonl"

    assert run(["measures", tenant, "--since", "7d", "--export", str(export)]) == 0

    shown = capsys.readouterr().out
    assert "tickets opened         0" in shown
    assert "contained              –" in shown
    assert [json.loads(line) for line in export.read_text().splitlines()] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--since", "yesterday"], "is no age"),
        (["--since", "999999d"], "before there were tickets"),
        (["--export", "/no/such/folder/x.jsonl"], "No such file"),
    ],
)
def test_bad_options_are_a_sentence(tenant: str, arguments: list[str], sentence: str, capsys: Shown) -> None:
    assert run(["measures", tenant, *arguments]) != 0

    assert sentence in capsys.readouterr().err


def test_tenant_that_is_not_there_is_a_sentence(tenant: str, capsys: Shown) -> None:
    assert run(["measures", "nobody"]) == 1

    assert "No tenant is called 'nobody'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("teammate", "sentence"),
    [
        ("U0NORA", "Nobody has worked on this ticket yet"),
        ("U0EVE", "has no teammate 'U0EVE'"),
    ],
)
def test_judging_what_is_not_there_is_a_sentence(
    tenant: str, teammate: str, sentence: str, capsys: Shown
) -> None:
    assert run(["ticket", "judge", f"{tenant}/7", "--as", teammate, "--handoff", "wrong"]) == 1

    assert sentence in capsys.readouterr().err
