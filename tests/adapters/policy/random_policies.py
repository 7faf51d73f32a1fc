"""Random policies that use every primitive."""

import random
from typing import Any

from adapters.policy.bundle import Bundle, Level
from adapters.policy.effective import Effective, effective
from tests.adapters.policy.deciding import policy

ACTIONS = ("reply", "refund", "private_note", "set_status", "slack_post", "grant_credit")
LIMITS = {"allow_up_to": {"EUR": "50.00", "USD": "0.00"}, "approval_up_to": {"EUR": "500.00", "USD": "0.00"}}


def a_policy(dice: random.Random) -> Effective:
    """One to three levels."""
    chosen = [level for level in Level if level is Level.TENANT or dice.random() < 0.25]
    return effective({level: _bundle(dice) for level in chosen})


def _bundle(dice: random.Random) -> Bundle:
    arguments = {
        "reason": {"type": "word", "values": ["late", "broken"]},
        "times": {"type": "integer", "least": 1, "most": 3, "optional": True},
        "amount": {"type": "amount", "optional": dice.random() < 0.5},
        "urgent": {"type": "flag", "optional": True},
        "orders": {"type": "ids", "least": 1, "most": 2, "optional": True},
    }
    more: dict[str, Any] = {
        "actions": {"grant_credit": {"band": "high", "arguments": arguments}},
        "facts": {
            "order.delivered": "flag",
            "paid": "amount",
            "tries": "integer",
            "tier": "word",
            "ids": "ids",
        },
        "max_chain": dice.randint(1, 4),
        "default": dice.choice(["deny", "deny", "approval_needed"]),
        "approval": {"approver_groups": dice.sample(["leads", "finance"], dice.randint(1, 2))},
    }
    if dice.random() < 0.15:
        more["agents"] = {
            "triage_agent": {"permission_level": "execute"},
            "support_agent": {
                "permission_level": dice.choice(["draft", "execute"]),
                "parent": "triage_agent",
            },
            "note_agent": {
                "permission_level": "execute",
                "parent": "support_agent",
                "actions": ["private_note", "reply"],
            },
        }
        if dice.random() < 0.5:
            more["agents"]["support_agent"].pop("parent")
    rules = [_rule(dice) for _ in range(dice.randint(0, 6))]
    granted: list[dict[str, Any]] = [{"action_allowlist": ["*"]}] if dice.random() < 0.7 else []
    return policy([*granted, *rules], **more)


def _rule(dice: random.Random) -> dict[str, Any]:
    when: dict[str, Any] = {"actions": dice.sample(ACTIONS, dice.randint(1, 4))}
    if dice.random() < 0.3:
        when["condition"] = _condition(dice, 2)
    for word, values in (
        ("channels", ["public", "internal"]),
        ("zones", ["internal", "privileged"]),
        ("bands", ["low", "high"]),
        ("agents", ["support_agent", "note_agent"]),
    ):
        if dice.random() < 0.1:
            when[word] = [dice.choice(values)]
    return {"when": when, **dice.choice(_primitives(dice))}


def _primitives(dice: random.Random) -> list[dict[str, Any]]:
    within = {"per": dice.choice(["tenant", "customer"]), "within": "1h"}
    holidays = dice.choice([[], ["2026-11-24"]])
    spans = dice.choice(["09:00-17:00", "22:00-06:00", "00:00-24:00"])
    outside = dice.choice(["deny", "approval_needed"])
    zone = dice.choice(["Europe/Berlin", "America/New_York"])
    hours = {"zone": zone, "open": {"weekdays": [spans]}, "holidays": holidays, "outside": outside}
    late = {"fact": "facts.order.delivered", "code": "late", "otherwise": "approval_needed"}
    return [
        {"allow": True},
        {"allow": True},
        {"deny": True},
        {"action_allowlist": dice.choice([["*"], ["reply"], ["reply", "grant_credit"]])},
        {"channel_allowlist": dice.choice([["public"], ["billing", "internal"]])},
        {"allow": True, "require_approval": dice.choice([{}, {"approver_groups": ["leads"], "quorum": 2}])},
        {"allow": True, "redact_fields": dice.sample(["email", "phone"], dice.randint(1, 2))},
        {"allow": True, "purpose": dice.sample(["support", "training"], dice.randint(1, 2))},
        {"threshold": LIMITS},
        {"threshold": {**LIMITS, **within}},
        {"threshold": {**LIMITS, "amount": "order.refundable"}},
        {"allow": True, "require": [{"condition": _condition(dice, 1), "code": "needed"}]},
        {"allow": True, "require": [late]},
        {"allow": True, "rate": {"at_most": dice.randint(0, 3), "above": "approval_needed", **within}},
        {"allow": True, "hours": hours},
        {"allow": True, "residency": ["eu"]},
        {"allow": True, "tenant_scope": True},
    ]  # fmt: skip


def _condition(dice: random.Random, depth: int) -> dict[str, Any]:
    if depth and dice.random() < 0.6:
        kind = dice.choice(["all", "any", "not"])
        if kind == "not":
            return {"not": _condition(dice, depth - 1)}
        return {kind: [_condition(dice, depth - 1) for _ in range(dice.randint(1, 3))]}
    return dict(dice.choice(CONDITIONS))


CONDITIONS: tuple[dict[str, Any], ...] = (
    {"field": "ticket.turn", "at_most": 2},
    {"field": "ticket.turn", "more_than": 2},
    {"field": "ticket.turn", "between": [1, 3]},
    {"field": "ticket.turn", "equals": 2},
    {"field": "ticket.turn", "equals_field": "facts.tries"},
    {"field": "facts.tries", "at_most_field": "ticket.turn"},
    {"field": "ticket.intent", "equals": "refund_request"},
    {"field": "ticket.intent", "matches": "refund_[a-z]+"},
    {"field": "ticket.intent", "matches": "[^0-9]*|x{2,3}"},
    {"field": "ticket.intent", "equals_field": "facts.tier"},
    {"field": "ticket.signals", "contains_any": ["injection", "thanks"]},
    {"field": "facts.ids", "subset_of": ["a", "b"]},
    {"field": "facts.ids", "exists": True},
    {"field": "action.zones", "subset_of": ["public"]},
    {"field": "action.amount", "less_than": {"EUR": "50.00"}},
    {"field": "action.amount", "at_least": {"EUR": "50.00", "USD": "0.01"}},
    {"field": "action.amount", "at_most_field": "order.refundable"},
    {"field": "facts.paid", "equals_field": "action.amount"},
    {"field": "facts.paid", "exists": True},
    {"field": "purpose", "exists": True},
    {"field": "requester_known", "equals": True},
    {"field": "facts.order.delivered", "equals": False},
    {"field": "action.arguments.times", "at_least": 2},
    {"field": "action.arguments.amount", "at_most": {"EUR": "20.00"}},
    {"field": "ticket.priority", "in": ["high", "urgent"]},
)
