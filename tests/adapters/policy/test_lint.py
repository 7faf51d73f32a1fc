"""The linter: each code is said of a policy that shows it, not of its neighbour, never of good ones."""

import time
from pathlib import Path
from typing import Any

import pytest

from adapters.policy.bundle import Level
from adapters.policy.file import read_file
from adapters.policy.lint import ERRORS, Finding, FindingCode, Severity, lint
from adapters.policy.linting._possible import implies, possible
from adapters.policy.tables import pack
from tests.adapters.policy.deciding import policy
from tests.adapters.policy.linted import CASES
from tests.adapters.policy.writing import PEOPLE, REPLIES, field, on, tenant, under

SHOP = Path(__file__).parents[2] / "policy" / "retail.yaml"


def codes(levels: Any) -> set[FindingCode]:
    return {finding.code for finding in lint(levels, PEOPLE)}


def only(levels: Any) -> Finding:
    (finding,) = lint(levels)
    return finding


def test_every_code_has_a_case() -> None:
    assert set(CASES) == set(FindingCode)


@pytest.mark.parametrize("code", FindingCode)
def test_code_is_said_of_what_shows_it(code: FindingCode) -> None:
    assert code in codes(CASES[code].shows)


@pytest.mark.parametrize("code", FindingCode)
def test_code_is_not_said_of_the_neighbour(code: FindingCode) -> None:
    assert code not in codes(CASES[code].neighbour)


@pytest.mark.parametrize("code", FindingCode)
def test_findings_say_what_where_and_what_to_do(code: FindingCode) -> None:
    found = [each for each in lint(CASES[code].shows, PEOPLE) if each.code is code]

    for each in found:
        assert each.severity is (Severity.ERROR if code in ERRORS else Severity.WARNING)
        assert each.sentence[0].isupper()
        assert not each.sentence.endswith(".")
        assert each.suggestion
        assert each.level in CASES[code].shows


@pytest.mark.parametrize("file", [pack("support_default"), pack("retail"), SHOP])
@pytest.mark.parametrize("level", Level)
def test_good_policies_are_not_complained_about(file: Path, level: Level) -> None:
    assert lint({level: read_file(file)}) == ()


def test_a_pack_below_a_pack_shares_its_approvers_or_is_told() -> None:
    found = lint(under(read_file(pack("support_default")), read_file(pack("retail"))))

    assert FindingCode.APPROVERS_NOT_COMMON in {each.code for each in found}


def test_a_rule_is_unreachable_below_an_organisation_that_denies() -> None:
    organisation = policy([{"action_allowlist": ["*"]}, {"when": on("reply"), "deny": True}])

    found = only(under(organisation, policy([REPLIES])))

    assert (found.code, found.level, found.rule) == (FindingCode.UNREACHABLE, Level.TENANT, "rule_0")
    assert found.sentence == "Rule 'rule_0' never decides: rule 'rule_1' (organisation) denies all of it"
    assert found.place == ("rules", 0)


def test_an_agent_that_names_no_actions_has_the_scope_of_its_parent() -> None:
    front = {"permission_level": "draft", "actions": ["reply"]}
    writer = {"permission_level": "draft", "parent": "front"}

    assert lint(tenant([REPLIES], agents={"front": front, "writer": writer})) == ()


def test_lower_limits_make_higher_ones_superfluous_and_not_the_other_way_round() -> None:
    limits = [
        {"when": on("refund"), "threshold": {"allow_up_to": {"EUR": limit}}} for limit in ("50.00", "60.00")
    ]

    found = only(tenant(limits))

    assert (found.code, found.rule) == (FindingCode.OVERLAPPING, "rule_1")


def wide(number: int) -> dict[str, Any]:
    """A condition of eight clauses."""
    return {"any": [field("ticket.turn", between=[each + number % 50, each + 60]) for each in range(8)]}


def declared(number: int) -> dict[str, Any]:
    return {f"action_{each}": {"band": "low"} for each in range(number)}


def queued(number: int) -> dict[str, Any]:
    return {"when": on("reply", if_=field("ticket.queue", equals=f"q_{number}")), "allow": True}


def sent(number: int) -> dict[str, Any]:
    return {"permission_level": "draft", "parent": f"agent_{number + 1}"}


ASKED: dict[str, Any] = {"require_approval": {}}
LARGE: dict[str, Any] = {
    "many conditions": lambda: tenant([queued(each) for each in range(1000)]),
    "many clauses": lambda: tenant([{"when": on("reply", if_=wide(each)), **ASKED} for each in range(200)]),
    "many actions": lambda: tenant([{"action_allowlist": ["reply"]}] * 600, actions=declared(1500)),
    "many limits": lambda: tenant(
        [{"threshold": {"allow_up_to": {each: "5.00"}}} for each in ("EUR", "USD")] * 300,
        actions=declared(1000),
    ),
    "a long chain": lambda: tenant([REPLIES], agents={f"agent_{each}": sent(each) for each in range(2500)}),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_policy_is_read_in_seconds(name: str) -> None:
    large = LARGE[name]()
    began = time.process_time()

    lint(large)

    assert time.process_time() - began < 20


def clauses(condition: dict[str, Any]) -> Any:
    written = policy(
        [{"when": {"condition": condition}, "allow": True}], facts={"paid": "amount", "vip": "flag"}
    )
    rule = written.rules[0].when.condition
    assert rule is not None
    return rule.clauses(written.fields)


PAID = "facts.paid"
IMPOSSIBLE = [
    [field("channel", equals="public"), field("channel", equals="internal")],
    [field("channel", equals="public"), {"not": field("channel", equals="public")}],
    [{"not": field("channel", equals="public")}, {"not": field("channel", equals="internal")}],
    [field("ticket.queue", equals="a"), field("ticket.queue", matches="b+")],
    [field("ticket.turn", between=[3, 5]), field("ticket.turn", more_than=5)],
    [field("ticket.turn", at_most=1), {"not": field("ticket.turn", at_most=1)}],
    [field("ticket.turn", at_least=1), {"not": field("ticket.turn", at_least=1)}],
    [field(PAID, at_most={"EUR": "1.00"}), field(PAID, more_than={"EUR": "1.00"})],
    [field(PAID, at_most={"EUR": "1.00"}), field(PAID, at_most={"USD": "1.00"})],
    [field("facts.vip", equals=True), field("facts.vip", equals=False)],
    [field("facts.vip", equals=True), {"not": field("facts.vip", exists=True)}],
    [field("action.zones", contains_any=["public"]), field("action.zones", subset_of=["internal"])],
    [field("action.zones", contains_any=["public"]), {"not": field("action.zones", contains_any=["public"])}],
    [field("action.tags", subset_of=["a"]), {"not": field("action.tags", subset_of=["a", "b"])}],
]


@pytest.mark.parametrize("parts", IMPOSSIBLE, ids=map(str, IMPOSSIBLE))
def test_conditions_that_exclude_each_other_are_impossible_and_one_of_them_is_not(parts: Any) -> None:
    assert not any(map(possible, clauses({"all": parts})))
    assert all(any(map(possible, clauses(part))) for part in parts)


PUBLIC = field("channel", equals="public")
IMPLIED = [
    (field("channel", equals="public"), field("channel", **{"in": ["public", "internal"]})),
    (field("ticket.turn", equals=3), field("ticket.turn", at_least=3)),
    (field("ticket.turn", more_than=3), field("ticket.turn", at_least=3)),
    (field(PAID, more_than={"EUR": "5.00"}), field(PAID, more_than={"EUR": "4.00", "USD": "9.00"})),
    (field("action.zones", subset_of=["public"]), field("action.zones", subset_of=["public", "internal"])),
    (field("ticket.queue", equals="aa"), field("ticket.queue", matches="a+")),
    (field("ticket.queue", equals="aa"), field("ticket.queue", exists=True)),
    (PUBLIC, {"any": [field("ticket.turn", at_least=9), PUBLIC]}),
]  # fmt: skip
NOT_IMPLIED = [
    (field(PAID, more_than={"EUR": "4.00", "USD": "9.00"}), field(PAID, more_than={"EUR": "4.00"})),
    (field("ticket.turn", at_least=3), field("ticket.turn", more_than=3)),
    (field("ticket.queue", equals="aa"), field("channel", equals="public")),
    (field("ticket.queue", exists=True), field("ticket.queue", equals="aa")),
    ({"not": field("ticket.queue", exists=True)}, {"not": field("ticket.queue", equals="aa")}),
]


@pytest.mark.parametrize(("narrow", "wide"), IMPLIED, ids=map(str, IMPLIED))
def test_a_narrower_condition_implies_a_wider_one_and_not_the_other_way_round(narrow: Any, wide: Any) -> None:
    assert implies(clauses(narrow), clauses(wide))
    assert not implies(clauses(wide), clauses(narrow))


@pytest.mark.parametrize(("first", "second"), NOT_IMPLIED, ids=map(str, NOT_IMPLIED))
def test_what_is_not_certain_is_not_implied(first: Any, second: Any) -> None:
    assert not implies(clauses(first), clauses(second))
