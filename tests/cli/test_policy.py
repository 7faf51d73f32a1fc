"""`countersign policy` for people who write policies."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.policy.tables import pack
from cli.policy import policy
from domain.errors import BundleRefused


def test_shipped_policies_pass_their_tests() -> None:
    result = CliRunner().invoke(policy, ["test"])

    assert result.exit_code == 0
    assert result.output.endswith(" passed, 0 failed\n")


def test_failing_row_is_named_with_its_note(tmp_path: Path) -> None:
    table = (pack("support_default").parent / "tests" / "refunds.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(table.replace("verdict: allow", "verdict: deny", 1))

    result = CliRunner().invoke(policy, ["test", "--tables", str(tmp_path)])

    assert result.exit_code == 1
    assert (
        "FAILED  mine (regorus): 50.00 is the limit itself and still automatic: expected deny"
        in result.output
    )
    assert "2 failed" in result.output


def test_broken_file_is_refused_before_any_database_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(pack("support_default").read_text().replace('"50.00"', '"fifty"'))

    result = CliRunner().invoke(policy, ["load", str(file), "--tenant", "harbour_books"])

    assert isinstance(result.exception, BundleRefused)
    assert "policy.yaml: line 21, rules.0.threshold.allow_up_to.EUR" in str(result.exception)


def test_other_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"\xff\xfe")

    result = CliRunner().invoke(policy, ["load", str(file), "--tenant", "harbour_books"])

    assert "policy.yaml: line 1: it is not UTF-8 text" in str(result.exception)


@pytest.mark.parametrize("missing", [["load"], ["load", "nowhere.json", "--tenant", "x"]])
def test_missing_arguments_are_usage_errors(missing: list[str]) -> None:
    assert CliRunner().invoke(policy, missing).exit_code == 2
