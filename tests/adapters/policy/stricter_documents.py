"""Random policies as authors write them, with everything that a change may touch."""

import json
import random
from typing import Any

from tests.adapters.policy.test_levels import _condition as a_condition
from tests.adapters.policy.test_levels import _rule as a_rule

Document = dict[str, Any]
GROUPS = ["leads", "finance", "support"]
LISTS = {
    "channel_allowlist": ["public", "internal", "desk"],
    "purpose": ["support", "training", "marketing"],
    "residency": ["eu", "us"],
    "redact_fields": ["email", "phone", "iban"],
    "action_allowlist": ["reply", "grant_credit", "set_status", "*"],
}
ARGUMENTS: Document = {
    "reason": {"type": "word", "values": ["late", "damaged"]},
    "count": {"type": "integer", "least": 1, "most": 3},
    "notify": {"type": "flag", "optional": True},
}
AGENTS: Document = {
    "lead": {"permission_level": "execute"},
    "support_agent": {"permission_level": "execute", "parent": "lead", "actions": ["reply", "set_status"]},
}


def a_document(dice: random.Random) -> Document:
    """A policy as its author writes it, with everything a change may touch."""
    # With fewer rules in its way, more comes through to whatever a change makes milder.
    narrow = dice.random() < 0.6
    rules = [] if narrow else [{"id": f"rule_{nth}", **a_rule(dice)} for nth in range(dice.randint(0, 5))]
    if dice.random() < 0.7:
        rules.append({"id": "all_of_it", "when": {}, "allow": True})
    document: Document = {
        "schema_version": 2,
        "name": "random",
        "default": dice.choice(["deny", "deny", "approval_needed"]),
        "approval": terms(dice),
        "actions": {"grant_credit": {"band": "high"}},
        "rules": rules,
    }
    for _ in range(dice.randint(1, 2)):
        document["rules"].append({**a_special_rule(dice), "id": f"special_{dice.randint(0, 10**6)}"})
    if dice.random() < 0.2:
        document["actions"]["grant_credit"]["arguments"] = dict(ARGUMENTS)
    if dice.random() < 0.2:
        document["agents"] = json.loads(json.dumps(AGENTS))
    if dice.random() < 0.15:
        document.pop("approval", None)
    return document


def a_special_rule(dice: random.Random) -> Document:
    """Rules that every change of their kind needs something of."""
    when: Document = {"actions": dice.sample(["reply", "grant_credit"], dice.randint(1, 2))}
    if dice.random() < 0.5:
        when["condition"] = a_condition(dice, 1)
    choices: list[Document] = [
        {"allow": True},
        {"require_approval": {}},
        {"threshold": {**limits(dice), "per": "tenant", "within": "1h"}},
        {"threshold": limits(dice)},
        {"rate": {"at_most": 2, "per": "tenant", "within": "1h", "above": "approval_needed"}},
        {
            "hours": {
                "zone": "Europe/Berlin",
                "open": {"daily": ["22:00-06:00"]},
                "outside": "approval_needed",
            }
        },
        {"hours": {"zone": "UTC", "open": {"weekdays": ["09:00-17:00"]}, "holidays": ["2026-11-24"]}},
        {"require": [{"condition": a_condition(dice, 1), "code": "needed", "otherwise": "approval_needed"}]},
        {"require_approval": terms(dice)},
        {"allow": True, "require_approval": {}},
        {"channel_allowlist": ["public", "desk"]},
        {"redact_fields": ["email", "phone"]},
        {"purpose": ["support"]},
        {"deny": True},
    ]
    return {"when": when, **dice.choice(choices)}


def limits(dice: random.Random) -> Document:
    low = {"EUR": dice.choice(["20.00", "50.00"]), **({"USD": "40.00"} if dice.random() < 0.4 else {})}
    return {"allow_up_to": low, "approval_up_to": dict.fromkeys(low, dice.choice(["50.00", "500.00"]))}


def terms(dice: random.Random) -> Document:
    made: Document = {
        "approver_groups": dice.sample(GROUPS, dice.randint(1, 3)),
        "quorum": dice.randint(1, 3),
        "expires_in": dice.choice(["1h", "1d"]),
        "on_timeout": dice.choice(["wait", "hand_over", "reject"]),
        "forbid_self": dice.choice([True, False]),
    }
    if dice.random() < 0.4:
        made["ladder"] = [
            {"after": dice.choice(["10min", "20min"]), "approver_groups": [dice.choice(GROUPS)]}
        ]
    if dice.random() < 0.3:
        made["remind_every"] = dice.choice(["10min", "20min"])
    return made
