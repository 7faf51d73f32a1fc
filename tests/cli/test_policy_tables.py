"""`countersign policy test`: what fails is named, and which rules no row decides."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapters.policy.tables import TableUnusable, pack, tables
from cli.policy import policy
from domain.errors import BundleRefused

POLICY = pack("support_default").read_text()
REPLIES = (pack("support_default").parent / "tests" / "replies.yaml").read_text()
REGO = """package mine_test

import data.countersign.decision

proposal := {
	"schema_version": 2, "mode": "automate", "channel": "public", "agent": {"permission_level": "execute"},
	"ticket": {"owner": "automation", "signals": []}, "action": {"type": "add_tags"},
}

test_tags_go if {
	found := decision.answer with input as proposal
	found.verdict == "allow"
}

test_nothing_goes if {
	found := decision.answer with input as proposal
	found.verdict == "deny"
}
"""


def run(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(policy, ["test", "--tables", str(folder), *more])


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A table for a policy file beside it, as an author writes both."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "mine.yaml").write_text(POLICY.replace("name: support_default", "name: mine"))
    (tmp_path / "replies.yaml").write_text(
        REPLIES.replace("bundle: support_default", "bundle: policies/mine.yaml")
    )
    return tmp_path


def test_shipped_packs_are_covered_completely() -> None:
    result = CliRunner().invoke(policy, ["test", "--require-coverage"])

    assert result.exit_code == 0
    assert "retail: 21 of 21 rules decide some row\n" in result.output
    assert "support_default: 4 of 4 rules decide some row\n" in result.output


def test_rules_that_no_row_decides_are_named(own: Path) -> None:
    result = run(own)

    assert result.exit_code == 0
    assert "mine: 2 of 4 rules decide some row\n" in result.output
    assert "NEVER DECIDES  mine: refunds_by_amount\nNEVER DECIDES  mine: office_work\n" in result.output


def test_they_fail_where_coverage_is_required(own: Path) -> None:
    assert run(own, "--require-coverage").exit_code == 1


def test_a_rule_that_only_changes_an_answer_counts_too(tmp_path: Path) -> None:
    """It never is the reason of a question, and what goes out is another text."""
    redacts = "  - id: no_addresses\n    when: {zones: [internal]}\n    redact_fields: [address]\n"
    answered = "verdict: approval_needed, reason: approval_required"
    row = f"{{note: internal, set: {{action.zones: [internal]}}, {answered}}}"
    table = REPLIES.split("rows:")[0].replace("bundle: support_default", "bundle: policy.yaml")
    (tmp_path / "policy.yaml").write_text(POLICY + redacts)
    (tmp_path / "replies.yaml").write_text(f"{table}rows:\n  - {row}\n")

    result = run(tmp_path)

    assert "support_default: 3 of 5 rules decide some row\n" in result.output
    assert "NEVER DECIDES  support_default: no_addresses" not in result.output


@pytest.mark.parametrize("tables_are_in", [".", "tests"])
def test_rego_tests_of_authors_run_on_the_policy_beside_or_above_them(
    tmp_path: Path, tables_are_in: str
) -> None:
    folder = tmp_path / tables_are_in
    folder.mkdir(exist_ok=True)
    (folder / "mine_test.rego").write_text(REGO)
    (tmp_path / "policy.yaml").write_text(POLICY)

    result = run(folder)

    assert result.exit_code == 1
    assert f"FAILED  {folder.name}/test_nothing_goes: is not true\n" in result.output
    assert "test_tags_go" not in result.output
    assert result.output.endswith(" passed, 1 failed\n")


@pytest.mark.parametrize(
    ("rego", "said"),
    [
        ("package mine_test\n\ntest_one if {", "mine_test.rego: cannot be read: error: "),
        (
            "package mine_test\n\none := 1\n",
            "mine_test.rego: has no package or no rule that begins",
        ),
        ("package mine_test\n\ntest_one if never.heard(1)\n", "test_one: cannot be evaluated: error: "),
        ("package mine_test\n\ntest_one if test_one\n", "test_one: "),
    ],
)
def test_a_broken_rego_test_fails_with_one_line(tmp_path: Path, rego: str, said: str) -> None:
    (tmp_path / "mine_test.rego").write_text(rego)

    result = run(tmp_path)

    assert result.exit_code == 1
    assert f"FAILED  {tmp_path.name}/{said}" in result.output


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("a: [", "Table 'mine.yaml' cannot be used: line 1: "),
        ("", "Table 'mine.yaml' cannot be used: file: "),
        ("bundle: nobody\ninput: {}\nrows: []\n", "there is no starter pack 'nobody'"),
        ("bundle: nowhere.yaml\ninput: {}\nrows: []\n", "there is no file 'nowhere.yaml' beside it"),
        ("bundle: support_default\ninput: {}\n", "Table 'mine.yaml' cannot be used: rows: Field required"),
        ("a: *b\n", "Table 'mine.yaml' cannot be used: line 1: found undefined alias"),
    ],
)
def test_a_broken_table_is_named(tmp_path: Path, table: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(table)

    result = run(tmp_path)

    assert isinstance(result.exception, TableUnusable)
    assert said in str(result.exception)


def test_a_table_whose_policy_is_broken_is_refused_with_that_files_line(own: Path) -> None:
    file = own / "policies" / "mine.yaml"
    file.write_text(file.read_text().replace("quorum", "quorom"))

    result = run(own)

    assert isinstance(result.exception, BundleRefused)
    assert "mine.yaml: line 9, approval.quorom" in str(result.exception)


def test_a_row_that_changes_what_is_not_there_fails(own: Path) -> None:
    table = own / "replies.yaml"
    table.write_text(
        table.read_text() + "  - {note: typo, set: {actoin.type: reply}, verdict: deny, reason: denied}\n"
    )

    result = run(own)

    assert result.exit_code == 1
    assert "FAILED  replies (plain): typo: the input has no place 'actoin.type'" in result.output


def test_an_empty_folder_is_no_success(tmp_path: Path) -> None:
    assert run(tmp_path, "--require-coverage").exit_code == 1


def test_tables_name_the_policy_they_are_about(own: Path) -> None:
    assert [table.name for _, table in tables(own)] == ["mine"]
