"""The page about checking policies: every code with its severity, and what commands really print."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.policy.lint import ERRORS, FindingCode
from cli.policy import policy
from tests.docs.shown import shown_in

PAGE = Path(__file__).parents[2] / "docs" / "policy" / "checking.md"
CODE = re.compile(r"^\| `([a-z_]+)` \| (error|warning) \| (.+) \|$", re.MULTILINE)
NUMBERS = re.compile(r"\d+")


def test_every_code_stands_there_with_its_severity_and_a_meaning() -> None:
    explained = [(code, severity) for code, severity, _ in CODE.findall(PAGE.read_text("utf-8"))]

    assert explained == [(code, "error" if code in ERRORS else "warning") for code in FindingCode]


def test_the_example_is_said_to_be_wrong_in_these_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("draft.yaml").write_text(shown_in(PAGE, "schema_version: 2"), "utf-8")

    result = CliRunner().invoke(policy, ["check", "draft.yaml"])

    assert result.output == shown_in(PAGE, "draft.yaml:1: ")
    assert result.exit_code == 1


def test_the_tables_of_the_packs_print_these_words() -> None:
    result = CliRunner().invoke(policy, ["test", "--require-coverage"])

    assert result.exit_code == 0
    # How many rows there are changes with every row; what is said of them does not.
    assert NUMBERS.sub("N", result.output) == NUMBERS.sub("N", shown_in(PAGE, "retail: "))
