"""Each primitive at its limits, beside them, and without what it needs to know."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters import regorus
from adapters.policy.effective import alone
from adapters.policy.plain import PlainEngine
from domain.decision import Verdict
from tests.adapters.policy.deciding import TENANT, asked, codes, decide, policy

ALLOW, SANITIZE, ASK, DENY = Verdict.ALLOW, Verdict.SANITIZE, Verdict.APPROVAL_NEEDED, Verdict.DENY
CREDIT = {"grant_credit": {"band": "high"}}
LIMITS = {"allow_up_to": {"EUR": "50.00"}, "approval_up_to": {"EUR": "500.00"}}
WINDOW = "grant_credit.customer.2592000"


def credit(minor_units: Any = 5000, currency: Any = "EUR", **more: Any) -> dict[str, Any]:
    amount = {"minor_units": minor_units, "currency": currency}
    return asked("grant_credit", action={"amount": amount}, **more)


@pytest.mark.parametrize(
    ("minor_units", "currency", "verdict", "code"),
    [
        (1, "EUR", ALLOW, "within_limit"),
        (5000, "EUR", ALLOW, "within_limit"),
        (5000.0, "EUR", ALLOW, "within_limit"),  # JSON does not tell the two apart
        (5001, "EUR", ASK, "above_limit_needs_approval"),
        (50000, "EUR", ASK, "above_limit_needs_approval"),
        (50001, "EUR", DENY, "over_limit"),
        (2**53 - 1, "EUR", DENY, "over_limit"),
        (2**53, "EUR", DENY, "amount_missing"),
        (0, "EUR", DENY, "amount_not_positive"),
        (-5000, "EUR", DENY, "amount_not_positive"),
        (5000, "USD", DENY, "currency_not_covered"),
        (5000.5, "EUR", DENY, "amount_missing"),
        ("5000", "EUR", DENY, "amount_missing"),
        (True, "EUR", DENY, "amount_missing"),
        (None, "EUR", DENY, "amount_missing"),
        ([], "EUR", DENY, "amount_missing"),
        (5000, None, DENY, "amount_missing"),
        (5000, 7, DENY, "amount_missing"),
    ],
)
def test_threshold(minor_units: Any, currency: Any, verdict: Verdict, code: str) -> None:
    rules = policy([{"when": {"actions": ["grant_credit"]}, "threshold": LIMITS}], actions=CREDIT)

    answered = decide(rules, credit(minor_units, currency))

    assert (answered.verdict, codes(answered)) == (verdict, [code])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_deny(number: str) -> None:
    """Neither is JSON; whatever reads it first says no."""
    compiled = alone(policy([{"when": {"actions": ["grant_credit"]}, "threshold": LIMITS}], actions=CREDIT))
    text = (
        f'{{"action": {{"type": "grant_credit", "amount": {{"minor_units": {number}, "currency": "EUR"}}}}}}'
    )

    assert regorus.RegorusEngine(compiled).decide_document(text).verdict is DENY
    assert PlainEngine(compiled).decide_document(text).verdict is DENY


@pytest.mark.parametrize(
    ("before", "verdict", "code"),
    [
        ({"count": 1, "amounts": {"EUR": 1000}}, ALLOW, "within_limit"),
        ({"count": 1, "amounts": {"EUR": 1001}}, ASK, "above_limit_needs_approval"),
        ({"count": 1, "amounts": {"EUR": 46001}}, DENY, "over_limit"),
        ({"count": 9, "amounts": {"USD": 99999}}, ALLOW, "within_limit"),
        ({"count": 0, "amounts": {}}, ALLOW, "within_limit"),
        ({"count": 0}, DENY, "counter_missing"),
        ({"count": 1, "amounts": {"EUR": "many"}}, DENY, "counter_missing"),
        (None, DENY, "counter_missing"),
    ],
)
def test_threshold_of_a_window(before: Any, verdict: Verdict, code: str) -> None:
    limits = {**LIMITS, "per": "customer", "within": "30d"}
    rules = policy([{"when": {"actions": ["grant_credit"]}, "threshold": limits}], actions=CREDIT)
    counters = {} if before is None else {WINDOW: before}

    answered = decide(rules, credit(4000, counters=counters))

    assert (answered.verdict, codes(answered)) == (verdict, [code])


@pytest.mark.parametrize(
    ("above", "count", "verdict"),
    [("deny", 2, ALLOW), ("deny", 3, DENY), ("approval_needed", 3, ASK), ("approval_needed", "3", DENY)],
)
def test_rate(above: str, count: Any, verdict: Verdict) -> None:
    rate = {"at_most": 3, "per": "customer", "within": "1h", "above": above}
    rules = policy([{"when": {"actions": ["reply"]}, "allow": True, "rate": rate}])

    assert decide(rules, asked(counters={"reply.customer.3600": {"count": count}})).verdict is verdict


@pytest.mark.parametrize("otherwise", ["deny", "approval_needed"])
@pytest.mark.parametrize("given", [True, False, None, "yes"])
def test_refund_without_evidence_of_consent_does_not_go_out(otherwise: str, given: Any) -> None:
    needed = [{"fact": "consent.given", "code": "consent_missing", "otherwise": otherwise}]
    rules = policy([{"when": {"actions": ["reply"]}, "allow": True, "require": needed}])
    document = asked() if given is None else asked(consent={"given": given})

    answered = decide(rules, document)

    assert answered.verdict is (ALLOW if given is True else Verdict(otherwise))
    assert given is True or codes(answered) == ["consent_missing"]


@pytest.mark.parametrize(
    ("primitive", "given", "verdict", "code"),
    [
        ({"channel_allowlist": ["public"]}, {}, ALLOW, "allowed"),
        ({"channel_allowlist": ["internal"]}, {}, DENY, "channel_not_listed"),
        ({"channel_allowlist": ["support"]}, {"action": {"destination": "support"}}, ALLOW, "allowed"),
        ({"purpose": ["support"]}, {"purpose": "support"}, ALLOW, "allowed"),
        ({"purpose": ["support"]}, {"purpose": "marketing"}, DENY, "purpose_not_listed"),
        ({"purpose": ["support"]}, {}, DENY, "purpose_missing"),
        ({"tenant_scope": True}, {"action": {"resource_tenant_id": TENANT}}, ALLOW, "allowed"),
        ({"tenant_scope": True}, {"action": {"resource_tenant_id": "x"}}, DENY, "resource_of_other_tenant"),
        ({"tenant_scope": True}, {}, DENY, "resource_tenant_missing"),
        (
            {"residency": ["eu"]},
            {"residency": {"model_region": "eu", "storage_region": "eu"}},
            ALLOW,
            "allowed",
        ),
        (
            {"residency": ["eu"]},
            {"residency": {"model_region": "us", "storage_region": "eu"}},
            DENY,
            "region_not_listed",
        ),
        ({"residency": ["eu"]}, {"residency": {"model_region": "eu"}}, DENY, "region_missing"),
        ({"redact_fields": ["email", "ssn"]}, {}, SANITIZE, "fields_redacted"),
        ({"deny": True}, {}, DENY, "denied"),
        ({"action_allowlist": ["private_note"]}, {}, DENY, "action_not_listed"),
    ],
)
def test_lists_and_words(primitive: Any, given: Any, verdict: Verdict, code: str) -> None:
    answered = decide(policy([{"when": {"actions": ["reply"]}, "allow": True, **primitive}]), asked(**given))

    assert (answered.verdict, codes(answered)) == (verdict, [code])


def test_what_is_redacted_stays_redacted_where_a_person_is_asked() -> None:
    rules = policy([{"allow": True, "redact_fields": ["ssn"], "require_approval": {}}])

    obligations = decide(rules, asked()).obligations

    assert obligations is not None
    assert (obligations.redact_fields, obligations.approver_groups) == (("ssn",), ("approvers",))


@pytest.mark.parametrize("action", ["refund", "launch", "*", "", None, 7, []])
def test_action_nobody_declared_is_denied_by_the_widest_list(action: Any) -> None:
    assert decide(policy([{"action_allowlist": ["*"]}]), asked(action)).verdict is DENY


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("outside", ["deny", "approval_needed"])
def test_office_hours_over_a_week_in_which_clocks_change(zone: str, outside: str) -> None:
    spans = {"weekdays": ["09:00-17:30"], "saturday": ["22:00-02:00"]}
    hours = {"zone": zone, "open": spans, "holidays": ["2026-10-27"], "outside": outside}
    rules = policy([{"allow": True, "hours": hours}])
    moment, end = datetime(2026, 10, 22, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)

    while moment < end:
        answered = decide(rules, asked(at=moment.isoformat()))
        assert answered.verdict is (ALLOW if _open(moment, zone) else Verdict(outside)), moment
        moment += timedelta(minutes=15)


def _open(moment: datetime, zone: str) -> bool:
    """The same week, said another way: by the words on the local clock."""
    local = moment.astimezone(ZoneInfo(zone))
    clock, day = f"{local:%H:%M}", local.weekday()
    if f"{local:%m-%d}" == "10-27":
        return False
    if day < 5:
        return "09:00" <= clock < "17:30"
    return clock >= "22:00" if day == 5 else clock < "02:00"


AGENTS = {
    "front": {"permission_level": "execute", "actions": ["reply", "private_note"]},
    "writer": {"permission_level": "draft", "parent": "front"},
    "speaker": {"permission_level": "execute", "parent": "front"},
    "eager": {"permission_level": "execute", "parent": "writer"},
}
FRONT = {"id": "front", "permission_level": "execute"}
WRITER = {"id": "writer", "permission_level": "draft"}


@pytest.mark.parametrize(
    ("agent", "action", "code"),
    [
        ({**FRONT, "chain": []}, "reply", None),
        ({"id": "speaker", "permission_level": "execute", "chain": [FRONT]}, "reply", None),
        ({"id": "speaker", "permission_level": "execute", "chain": []}, "reply", "parent_wrong"),
        ({"id": "speaker", "permission_level": "execute", "chain": [WRITER]}, "reply", "parent_wrong"),
        ({"id": "ghost", "permission_level": "execute", "chain": [FRONT]}, "reply", "agent_unknown"),
        ({"id": "speaker", "permission_level": "execute", "chain": ["front"]}, "reply", "agent_unknown"),
        ({**WRITER, "permission_level": "execute", "chain": [FRONT]}, "reply", "permission_forged"),
        ({**FRONT, "chain": [FRONT]}, "reply", "chain_cyclic"),
        ({"id": "eager", "permission_level": "execute", "chain": [FRONT, WRITER]}, "reply", "chain_widens"),
        (
            {"id": "speaker", "permission_level": "execute", "chain": [FRONT]},
            "set_status",
            "action_out_of_scope",
        ),
    ],
)
def test_agents_come_from_their_parents(agent: Any, action: str, code: str | None) -> None:
    rules = policy([{"action_allowlist": ["*"]}], agents=AGENTS)

    answered = decide(rules, asked(action) | {"agent": agent})

    assert answered.verdict is (ALLOW if code is None else DENY)
    assert code is None or code in codes(answered)


def test_chain_that_is_too_long() -> None:
    rules = policy([{"action_allowlist": ["*"]}], agents=AGENTS, max_chain=1)
    agent = {"id": "speaker", "permission_level": "execute", "chain": [FRONT]}

    assert codes(decide(rules, asked() | {"agent": agent})) == ["chain_too_deep"]


def test_agent_sent_by_another_where_policy_knows_no_agents() -> None:
    answered = decide(policy([{"action_allowlist": ["*"]}]), asked(agent={"chain": [FRONT]}))

    assert codes(answered) == ["agents_not_registered"]


LEVELS = ("read", "draft", "execute_with_approval", "execute")


@pytest.mark.parametrize(
    ("action", "verdicts"),
    [
        ("reply", (DENY, DENY, ASK, ALLOW)),
        ("reset_password", (DENY, DENY, ASK, ALLOW)),
        ("set_status", (DENY, DENY, ALLOW, ALLOW)),
        ("add_tags", (DENY, DENY, ALLOW, ALLOW)),
        ("private_note", (DENY, ALLOW, ALLOW, ALLOW)),
        ("slack_post", (ALLOW, ALLOW, ALLOW, ALLOW)),
    ],
)
def test_permission_levels(action: str, verdicts: tuple[Verdict, ...]) -> None:
    rules = policy([{"action_allowlist": ["*"]}], actions={"reset_password": {"band": "medium"}})

    found = tuple(decide(rules, asked(action, agent={"permission_level": each})).verdict for each in LEVELS)

    assert found == verdicts
    assert decide(rules, asked("reply", agent={"permission_level": "root"})).verdict is DENY


@pytest.mark.parametrize(
    ("identity", "verdict"),
    [
        (None, DENY),
        ({"verified": False, "evidence": ["email"]}, DENY),
        ({"verified": True, "evidence": ["email"]}, DENY),
        ({"verified": True, "evidence": ["email", "second_factor"]}, ALLOW),
    ],
)
def test_password_is_reset_for_somebody_who_is_verified(identity: Any, verdict: Verdict) -> None:
    needed = [
        {"fact": "identity.verified", "code": "identity_not_verified"},
        {
            "condition": {"field": "identity.evidence", "contains_any": ["second_factor"]},
            "code": "second_factor_missing",
        },
    ]
    rules = policy(
        [{"when": {"actions": ["reset_password"]}, "allow": True, "require": needed}],
        actions={"reset_password": {"band": "high"}},
    )
    given = {} if identity is None else {"identity": identity}

    assert decide(rules, asked("reset_password", **given)).verdict is verdict


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"reason": "lost"}, None),
        ({"reason": "lost", "times": 3}, None),
        ({}, "argument_missing.reason"),
        ({"reason": "because"}, "argument_invalid.reason"),
        ({"reason": 7}, "argument_invalid.reason"),
        ({"reason": "lost", "times": 4}, "argument_invalid.times"),
        ({"reason": "lost", "to": "mallory"}, "argument_unknown"),
        ("lost", "argument_missing.reason"),
    ],
)
def test_arguments_fit_what_their_action_declares(arguments: Any, code: str | None) -> None:
    declared = {
        "reason": {"type": "word", "values": ["lost", "broken"]},
        "times": {"type": "integer", "least": 1, "most": 3, "optional": True},
    }
    rules = policy([{"action_allowlist": ["*"]}], actions={"send_again": {"arguments": declared}})

    answered = decide(rules, asked("send_again", action={"arguments": arguments}))

    assert codes(answered) == (["action_listed"] if code is None else [code])
