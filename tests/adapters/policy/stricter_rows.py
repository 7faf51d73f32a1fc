"""Changes of a policy, and whether they make it milder."""

from typing import Any

from adapters.policy.stricter import Kind

Rules = list[dict[str, Any]]
LIMITS = {"allow_up_to": {"EUR": "50.00"}, "approval_up_to": {"EUR": "500.00"}}
REFUNDS = {"when": {"actions": ["refund"]}, "threshold": LIMITS}
TERMS = {"approver_groups": ["leads", "finance"], "quorum": 2, "expires_in": "1d", "remind_every": "1h"}
ASK = {"allow": True, "require_approval": {}}
CREDIT: dict[str, Any] = {
    "band": "medium",
    "arguments": {
        "reason": {"type": "word", "values": ["late", "damaged"]},
        "count": {"type": "integer", "least": 1, "most": 3},
        "notify": {"type": "flag", "optional": True},
    },
}
AGENTS: dict[str, Any] = {
    "lead": {"permission_level": "execute"},
    "helper": {"permission_level": "draft", "parent": "lead", "actions": ["reply"]},
}
TURNS = {"field": "ticket.turn", "at_most": 3}
INTENT = {"field": "ticket.intent", "equals": "refund_request"}
PUBLIC = {"field": "channel", "equals": "public"}
OFFICE = {"zone": "Europe/Berlin", "open": {"weekdays": ["09:00-17:00"]}, "holidays": ["2026-12-25"]}
RATE = {"at_most": 2, "per": "tenant", "within": "1h"}


def limits(allowed: str, asked: str = "500.00", **more: Any) -> dict[str, Any]:
    return {
        **REFUNDS,
        "threshold": {"allow_up_to": {"EUR": allowed}, "approval_up_to": {"EUR": asked}, **more},
    }


def replies(**said: Any) -> dict[str, Any]:
    return {"when": {"actions": ["reply"]}, "allow": True, **said}


def on(condition: dict[str, Any], **said: Any) -> dict[str, Any]:
    return {"when": {"actions": ["reply"], "condition": condition}, **said}


GRANT = replies()

STRICTER: list[tuple[str, Rules, Rules]] = [
    ("lowered limits", [REFUNDS], [limits("20.00", "100.00")]),
    ("a window as well", [REFUNDS], [limits("50.00", per="tenant", within="1h")]),
    ("a grant becomes a limit", [{"when": {"actions": ["refund"]}, "allow": True}], [REFUNDS]),
    ("a rule more that objects", [GRANT], [GRANT, on(TURNS, deny=True)]),
    ("an action less", [{"when": {"actions": ["reply", "refund"]}, "allow": True}], [GRANT]),
    ("a list instead of everything", [{"action_allowlist": ["*"]}], [{"action_allowlist": ["reply"]}]),
    ("fewer channels", [replies(channel_allowlist=["public", "x"])], [replies(channel_allowlist=["x"])]),
    ("fewer purposes", [replies(purpose=["support", "training"])], [replies(purpose=["support"])]),
    ("fewer regions", [replies(residency=["eu", "us"])], [replies(residency=["eu"])]),
    ("more is redacted", [replies(redact_fields=["email"])], [replies(redact_fields=["email", "phone"])]),
    ("asking instead of allowing", [GRANT], [replies(require_approval={})]),
    ("denying instead of asking", [replies(require_approval={})], [replies(deny=True)]),
    ("a lower rate", [replies(rate=RATE)], [replies(rate={**RATE, "at_most": 1})]),
    ("a rate that denies", [replies(rate={**RATE, "above": "approval_needed"})], [replies(rate=RATE)]),
    (
        "shorter hours",
        [replies(hours=OFFICE)],
        [replies(hours={**OFFICE, "open": {"weekdays": ["10:00-12:00", "12:00-16:00"]}})],
    ),
    (
        "an evening instead of a night",
        [replies(hours={**OFFICE, "open": {"daily": ["22:00-06:00"]}})],
        [replies(hours={**OFFICE, "open": {"daily": ["22:00-24:00"]}})],
    ),
    (
        "one more holiday",
        [replies(hours=OFFICE)],
        [replies(hours={**OFFICE, "holidays": ["2026-12-25", "2026-12-26"]})],
    ),
    (
        "a requirement that is harder to meet",
        [replies(require=[{"condition": TURNS, "code": "early"}])],
        [replies(require=[{"condition": {"all": [INTENT, {**TURNS, "at_most": 2}]}, "code": "other_code"}])],
    ),
    (
        "a narrower grant",
        [on(TURNS, allow=True)],
        [on({"field": "ticket.turn", "between": [1, 2]}, allow=True)],
    ),
    ("a grant with one condition more", [on(TURNS, allow=True)], [on({"all": [TURNS, INTENT]}, allow=True)]),
    ("a grant that becomes conditional", [GRANT], [on(INTENT, allow=True)]),
    (
        "a wider objection about what is always known",
        [GRANT, on(PUBLIC, require_approval={})],
        [GRANT, replies(require_approval={})],
    ),
    (
        "a wider objection about the same field",
        [GRANT, on({"field": "ticket.turn", "more_than": 5}, require_approval={})],
        [GRANT, on({"field": "ticket.turn", "more_than": 3}, require_approval={})],
    ),
    ("a wider denial", [GRANT, on(TURNS, deny=True)], [GRANT, on({"any": [TURNS, INTENT]}, deny=True)]),
    (
        "approvers of its own, fewer",
        [replies(require_approval=TERMS)],
        [replies(require_approval={**TERMS, "approver_groups": ["leads"], "remind_every": "30min"})],
    ),
    (
        "a list of words inside another",
        [on({"field": "ticket.intent", "in": ["a", "b", "c"]}, allow=True)],
        [on({"field": "ticket.intent", "in": ["c", "b"]}, allow=True)],
    ),
    (
        "negations the other way round",
        [on({"not": {"field": "action.zones", "contains_any": ["internal"]}}, allow=True)],
        [on({"field": "action.zones", "subset_of": ["public"]}, allow=True)],
    ),
]


EQUAL: list[tuple[str, Rules, Rules]] = [
    ("renamed", [{"id": "small", **REFUNDS}], [{"id": "up_to_50", **REFUNDS}]),
    ("reordered", [REFUNDS, GRANT, on(TURNS, deny=True)], [on(TURNS, deny=True), REFUNDS, GRANT]),
    ("described", [REFUNDS], [{**REFUNDS, "description": "Small ones by themselves"}]),
    (
        "in two halves",
        [{"when": {"actions": ["reply", "refund"]}, **ASK}],
        [{"when": {"actions": [action]}, **ASK} for action in ("refund", "reply")],
    ),
    (
        "conditions said otherwise",
        [on({"not": {"any": [TURNS, INTENT]}}, allow=True)],
        [on({"all": [{"not": INTENT}, {"field": "ticket.turn", "at_least": 4}]}, allow=True)],
    ),
    (
        "words reordered",
        [replies(purpose=["support", "training"])],
        [replies(purpose=["training", "support"])],
    ),
    (
        "defaults written",
        [replies(require_approval=TERMS)],
        [replies(require_approval={**TERMS, "forbid_self": True})],
    ),
]


SURE, UNSURE = Kind.PROVEN, Kind.UNPROVEN
MILDER: list[tuple[Rules, Rules, Kind, str]] = [
    ([REFUNDS], [limits("100.00")], SURE, "threshold.allow_up_to.EUR rises from 50.00 to 100.00"),
    (
        [REFUNDS],
        [limits("50.00", "500.01")],
        SURE,
        "threshold.approval_up_to.EUR rises from 500.00 to 500.01",
    ),
    (
        [REFUNDS],
        [{**REFUNDS, "threshold": {"allow_up_to": {"EUR": "50.00", "USD": "1.00"}}}],
        SURE,
        "threshold also lets USD through",
    ),
    ([limits("50.00", per="tenant", within="1h")], [REFUNDS], UNSURE, "threshold counts another window"),
    (
        [{"when": {"actions": ["refund"]}, "threshold": {"amount": "order.total", **LIMITS}}],
        [REFUNDS],
        UNSURE,
        "threshold limits another amount",
    ),
    ([REFUNDS], [], SURE, "the rule is gone and no other one objects wherever it did"),
    ([REFUNDS], [REFUNDS, GRANT], SURE, "it grants 'reply', which no rule granted"),
    ([on(TURNS, allow=True)], [GRANT], UNSURE, "its allow may grant 'reply' in more situations"),
    ([replies(deny=True)], [GRANT], SURE, "it has no deny any more"),
    (
        [GRANT, replies(deny=True)],
        [GRANT, on(TURNS, deny=True)],
        UNSURE,
        "its deny may apply in fewer situations",
    ),
    (
        [GRANT, on(TURNS, require_approval={})],
        [GRANT, replies(require_approval={})],
        UNSURE,
        "what is missing for its condition may no longer deny",
    ),
    ([GRANT, on(TURNS, allow=True)], [GRANT], UNSURE, "its condition may no longer deny"),
    (
        [GRANT, on({"field": "action.amount", "at_most": {"EUR": "50.00"}}, deny=True)],
        [GRANT, on({"field": "action.amount", "exists": True}, deny=True)],
        UNSURE,
        "for its condition may no longer deny",
    ),
    (
        [{"when": {"actions": ["reply", "refund"]}, **ASK}],
        [{"when": {"actions": ["reply"]}, **ASK}, {"when": {"actions": ["refund"]}, "allow": True}],
        SURE,
        "it is no longer about 'refund'",
    ),
    (
        [{"action_allowlist": ["reply"]}],
        [{"action_allowlist": ["*"]}],
        SURE,
        "action_allowlist also lists 'refund'",
    ),
    ([replies(channel_allowlist=["x"])], [replies(channel_allowlist=["x", "y"])], SURE, "also lists 'y'"),
    (
        [replies(purpose=["support"])],
        [replies(purpose=["support", "training"])],
        SURE,
        "purpose also lists 'training'",
    ),
    ([replies(residency=["eu"])], [replies(residency=["us"])], SURE, "residency also lists 'us'"),
    (
        [replies(redact_fields=["email"])],
        [replies(redact_fields=["phone"])],
        SURE,
        "no longer takes out 'email'",
    ),
    ([replies(rate=RATE)], [replies(rate={**RATE, "at_most": 3})], SURE, "rate.at_most rises from 2 to 3"),
    ([replies(rate=RATE)], [replies(rate={**RATE, "within": "2h"})], UNSURE, "rate counts other actions"),
    (
        [replies(rate=RATE)],
        [replies(rate={**RATE, "above": "approval_needed"})],
        SURE,
        "rate asks a person where it denied",
    ),
    (
        [replies(hours=OFFICE)],
        [replies(hours={**OFFICE, "zone": "UTC"})],
        UNSURE,
        "hours goes by another clock",
    ),
    (
        [replies(hours=OFFICE)],
        [replies(hours={**OFFICE, "open": {"daily": ["09:00-17:00"]}})],
        SURE,
        "hours opens longer on Sunday",
    ),
    ([replies(hours=OFFICE)], [replies(hours={**OFFICE, "holidays": []})], SURE, "hours opens on 2026-12-25"),
    (
        [replies(require=[{"condition": TURNS, "code": "early"}])],
        [replies(require=[{"condition": {**TURNS, "at_most": 4}, "code": "early"}])],
        UNSURE,
        "require no longer asks the same for 'early'",
    ),
    (
        [replies(require_approval=TERMS)],
        [replies(require_approval={**TERMS, "quorum": 1})],
        SURE,
        "approval.quorum falls from 2 to 1",
    ),
    ([{"must_hold": True, **REFUNDS}], [REFUNDS], SURE, "it is no longer marked must_hold"),
]


OUTSIDE: list[tuple[dict[str, Any], dict[str, Any], Kind, str]] = [
    ({}, {"default": "approval_needed"}, SURE, "default asks a person where it denied"),
    ({"approval": TERMS}, {"approval": {**TERMS, "quorum": 1}}, SURE, "approval.quorum falls from 2 to 1"),
    (
        {"approval": TERMS},
        {"approval": {**TERMS, "expires_in": "2d"}},
        SURE,
        "approval.expires_in rises from 1d to 2d",
    ),
    (
        {"approval": TERMS},
        {"approval": {**TERMS, "on_timeout": "wait"}},
        SURE,
        "approval.on_timeout is wait where it was hand_over",
    ),
    ({"approval": TERMS}, {"approval": {**TERMS, "forbid_self": False}}, SURE, "approve what they asked for"),
    ({"approval": TERMS}, {"approval": {**TERMS, "remind_every": "2h"}}, SURE, "reminds people less often"),
    (
        {"approval": TERMS},
        {"approval": {**TERMS, "approver_groups": ["anybody"]}},
        SURE,
        "'anybody' may approve too",
    ),
    (
        {"approval": TERMS},
        {"approval": {**TERMS, "ladder": [{"after": "1h", "approver_groups": ["anybody"]}]}},
        SURE,
        "'anybody' may approve too after 1h",
    ),
    ({"approval": TERMS}, {"approval": None}, UNSURE, "nobody is named who approves"),
    ({"approval": None}, {"approval": TERMS}, SURE, "it names who approves, and nobody was named"),
    ({"agents": AGENTS}, {"agents": None}, SURE, "agents are no longer registered"),
    ({"agents": None}, {"agents": AGENTS}, SURE, "agents may now be sent by others"),
    (
        {"agents": AGENTS},
        {"agents": {**AGENTS, "x": {"permission_level": "read"}}},
        SURE,
        "agent 'x' is new",
    ),
    ({"agents": AGENTS}, {"agents": AGENTS, "max_chain": 4}, SURE, "max_chain rises from 3 to 4"),
    (
        {"agents": AGENTS},
        {"agents": {**AGENTS, "lead": {"permission_level": "draft"}}},
        UNSURE,
        "agent 'lead' goes from permission level execute to draft",
    ),
    (
        {"agents": AGENTS},
        {"agents": {**AGENTS, "helper": {"permission_level": "draft", "parent": "lead"}}},
        SURE,
        "agent 'helper' has no scope any more",
    ),
    (
        {"agents": AGENTS},
        {"agents": {**AGENTS, "helper": {**AGENTS["helper"], "actions": ["reply", "refund"]}}},
        SURE,
        "agent 'helper' may also do 'refund'",
    ),
    (
        {"agents": AGENTS},
        {"agents": {**AGENTS, "helper": {"permission_level": "draft", "actions": ["reply"]}}},
        UNSURE,
        "agent 'helper' comes from another parent",
    ),
]
