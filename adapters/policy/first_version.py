"""Policies of schema version 1 (JSON, before there were rules), said as rules."""

from collections.abc import Collection, Iterable
from typing import Any

from pydantic import JsonValue

from domain.errors import BundleRefused

Document = dict[str, JsonValue]
VERDICTS = ("allow", "approval_needed", "deny")
TERMS = (
    "approver_groups",
    "quorum",
    "expires_in_s",
    "on_timeout",
    "forbid_self",
    "remind_every_s",
    "ladder",
)
NOTHING_CITED: Document = {
    "all": [
        {"field": "action.zones", "subset_of": ["public"]},
        {"not": {"field": "action.zones", "contains_any": ["public"]}},
    ]
}


def translated(document: Document) -> Document:
    """The same decisions in today's words. Raises `BundleRefused` where it is no such policy."""
    try:
        return _translated(document)
    except (KeyError, TypeError, AttributeError):
        raise BundleRefused("it is not a policy of schema version 1") from None


def _translated(document: Any) -> Document:
    rules: list[Any] = []
    refund, reply, others = document.get("refund"), document.get("reply"), document.get("other_actions") or {}
    _only(VERDICTS, others.values())
    if refund:
        limits = {
            name: dict.fromkeys(refund["currencies"], refund[name])
            for name in ("allow_up_to", "approval_up_to")
        }
        rules.append({"id": "refunds_stay_in_limits", "when": {"actions": ["refund"]}, "threshold": limits})
    if reply:
        rules += _replies(reply["zones"])
    said: tuple[tuple[str, dict[str, Any]], ...] = (
        ("allow", {"allow": True}),
        ("approval_needed", {"allow": True, "require_approval": {}}),
        ("deny", {"deny": True}),
    )
    for verdict, primitives in said:
        actions = sorted(name for name, its in others.items() if its == verdict)
        if actions:
            rules.append({"id": f"actions_{verdict}", "when": {"actions": actions}, **primitives})
    return {
        "schema_version": 2,
        "name": document["name"],
        "default": "deny",
        "approval": _terms(document["approval"]),
        "rules": rules,
    }


def _replies(zones: Any) -> list[Any]:
    _only(VERDICTS, zones.values())
    open_ = sorted(zone for zone, its in zones.items() if its != "deny")
    asked = sorted(zone for zone, its in zones.items() if its == "approval_needed")
    cited: Document = {"field": "action.zones", "subset_of": open_} if open_ else NOTHING_CITED
    replies: list[Any] = [
        {
            "id": "replies_cite_open_zones",
            "when": {"actions": ["reply"]},
            "allow": True,
            "require": [{"condition": cited, "code": "zone_not_covered"}],
        }
    ]
    if asked:
        when: Document = {"actions": ["reply"], "zones": [*asked]}
        replies.append({"id": "replies_from_closed_zones", "when": when, "require_approval": {}})
    return replies


def _only(known: Collection[str], written: Iterable[Any]) -> None:
    """What is misspelt must not be read as what is milder."""
    strange = next((word for word in written if word not in known), None)
    if strange is not None:
        raise BundleRefused(f"{strange!r} must be one of {', '.join(known)}")


def _terms(approval: Any) -> Document:
    _only(TERMS, approval)
    terms: dict[str, Any] = {
        name: approval[name]
        for name in ("approver_groups", "quorum", "on_timeout", "forbid_self")
        if name in approval
    }
    for old, new in (("expires_in_s", "expires_in"), ("remind_every_s", "remind_every")):
        if approval.get(old) is not None:
            terms[new] = f"{approval[old]}s"
    if approval.get("ladder"):
        terms["ladder"] = [
            {"after": f"{rung['after_s']}s", "approver_groups": rung["approver_groups"]}
            for rung in approval["ladder"]
        ]
    return terms
