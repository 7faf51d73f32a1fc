"""`countersign policy check` for people who write policies, and for their pipelines."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapters.policy.lint import FindingCode
from adapters.policy.tables import pack
from cli.policy import policy
from domain.errors import BundleRefused

TEXT = pack("support_default").read_text()
GOOD = pack("support_default")


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(policy, ["check", *map(str, arguments)])


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Its ladder is climbed after the end; a warning in line 14."""
    file = tmp_path / "odd.yaml"
    rung = "  ladder:\n    - {after: 24h, approver_groups: [leads]}\n"
    file.write_text(TEXT.replace("  forbid_self: true\n", f"  forbid_self: true\n{rung}"))
    return file


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A rule's condition is never true; an error."""
    file = tmp_path / "wrong.yaml"
    never = "\n      condition: {all: [{field: channel, equals: public}, {field: channel, equals: internal}]}"
    file.write_text(TEXT.replace("zones: [internal]", f"zones: [internal]{never}"))
    return file


def test_shipped_policies_pass_even_strictly() -> None:
    for name in ("support_default", "retail"):
        result = check(pack(name), "--strict")

        assert result.exit_code == 0
        assert result.output.endswith(" tried, 0 errors, 0 warnings\n")


def test_warning_names_file_line_and_what_to_do(odd: Path) -> None:
    result = check(odd)

    assert result.exit_code == 0
    assert result.output == (
        f"{odd}:14: warning ladder_after_expiry: Others are asked after 1d, and the question ends after 1d;"
        " ask them earlier, or let the question live longer\n"
        "4 rules tried, 0 errors, 1 warning\n"
    )


def test_warnings_count_where_it_is_strict(odd: Path) -> None:
    assert check(odd, "--strict").exit_code == 1


def test_errors_end_with_one(wrong: Path) -> None:
    result = check(wrong)

    assert result.exit_code == 1
    assert (
        "error never_true: What rule 'internal_knowledge_is_read_by_a_person' says in `when`" in result.output
    )


def test_json_is_for_pipelines(wrong: Path) -> None:
    result = check(wrong, "--format", "json")

    (found,) = json.loads(result.stdout)
    assert result.exit_code == 1
    assert found["file"] == str(wrong)
    assert wrong.read_text().splitlines()[found["line"] - 1].strip().startswith("actions: [reply]")
    assert (found["code"], found["severity"], found["level"]) == (FindingCode.NEVER_TRUE, "error", "tenant")
    assert found["rule"] == "internal_knowledge_is_read_by_a_person"
    assert found["suggestion"]


def test_levels_are_checked_together(tmp_path: Path) -> None:
    organisation = tmp_path / "organisation.yaml"
    organisation.write_text(TEXT.replace("approver_groups: [approvers]", "approver_groups: [compliance]"))

    result = check(GOOD, "--organisation", organisation, "--agent", GOOD)

    assert result.exit_code == 1
    assert f"{GOOD}:" in result.output
    assert "error approvers_not_common: " in result.output
    assert "compliance" in result.output


def test_an_organisation_that_grants_nothing_is_told_that_every_tenant_stands_still(tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    asks = "  - id: replies\n    when: {actions: [reply]}\n    require_approval: {}\n"
    file.write_text(TEXT[: TEXT.index("rules:")] + "rules:\n" + asks)

    result = check(file, "--level", "organisation")

    assert result.exit_code == 1
    assert "error organisation_grants_nothing: " in result.output


def test_one_level_has_one_file() -> None:
    result = check(GOOD, "--level", "agent", "--agent", GOOD)

    assert result.exit_code == 2
    assert "says it twice" in result.output


def test_a_broken_file_is_refused_before_anything_is_tried(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(TEXT.replace("quorum", "quorom"))

    result = check(file)

    assert isinstance(result.exception, BundleRefused)
    assert "broken.yaml: line 9, approval.quorom: is not a word this file knows" in str(result.exception)


@pytest.mark.parametrize("command", [["check"], ["load", "--tenant", "harbour_books"]])
def test_a_rule_that_an_engine_cannot_answer_is_refused_before_any_database_is_asked(
    tmp_path: Path, command: list[str]
) -> None:
    """The embedded engine bounds a compiled pattern, which no count of letters can foresee."""
    file = tmp_path / "large.yaml"
    queue = '{field: ticket.queue, matches: "[^acegikmoqsuwyACEGIKMOQSUWY02468]{50}"}'
    file.write_text(TEXT.replace("zones: [internal]", f"condition: {queue}"))

    result = CliRunner().invoke(policy, [*command, str(file)])

    assert isinstance(result.exception, BundleRefused)
    assert "rule 'internal_knowledge_is_read_by_a_person': the engine gives no answer" in str(
        result.exception
    )


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    assert check("nowhere.yaml").exit_code == 2
