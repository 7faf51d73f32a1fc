"""The rules of `bench.policy_tenants` as somebody would write them by hand, for one shop and no auditor."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bench.policy_tenants import OFFICE, REFUNDS_30D, Terms
from domain.decision import PolicyInput

RANKS = ("allow", "sanitize", "approval_needed", "deny")
REFUND = re.compile(r"refund_[a-z_]{1,40}")
Found = tuple[int, str, str]  # rank, rule, code


def decide(input_: PolicyInput, terms: Terms) -> tuple[str, frozenset[tuple[str, str]]]:
    """The verdict, and its reasons as rule and code."""
    asked = json.loads(input_.model_dump_json(exclude_none=True))
    found = [*_found(asked, terms)]
    if not any(
        rank in (0, 2) and rule in {"office_work", "replies", "small", "monthly"} for rank, rule, _ in found
    ):
        found.append((3, "default", "not_covered"))
    worst = max(rank for rank, _, _ in found)
    reasons = frozenset((rule, code) for rank, rule, code in found if rank == worst)
    if worst == 3 and len(reasons) > 1:
        reasons -= {("default", "not_covered")}
    return RANKS[worst], reasons


def _found(asked: Any, terms: Terms) -> Iterator[Found]:
    action = asked["action"]["type"]
    if action in OFFICE:
        yield 0, "office_work", "allowed"
    elif action == "reply":
        yield from _reply(asked)
    elif action == "refund":
        yield from _refund(asked, terms)
    if action in {"reply", "slack_post"} and asked["channel"] == "public" and not _open(asked["at"], terms):
        yield 3, "open_hours", "outside_hours"
    if REFUND.fullmatch(asked["ticket"]["intent"]):
        yield 1, "cards", "fields_redacted"


def _reply(asked: Any) -> Iterator[Found]:
    zones = asked["action"]["zones"]
    yield 0, "replies", "allowed"
    if not {*zones} <= {"public", "internal"}:
        yield 3, "replies", "zone_closed"
    if "internal" in zones:
        yield 2, "internal", "approval_required"


def _refund(asked: Any, terms: Terms) -> Iterator[Found]:
    amount, order = asked["action"]["amount"]["minor_units"], asked["order"]
    before = asked["counters"][REFUNDS_30D]
    if not (asked["requester_known"] and order["owner_is_requester"] and order["delivered"]):
        yield 3, "refunds_rest_on_facts", "order_not_owned"
    if amount > order["refundable"]["minor_units"]:
        yield 3, "refunds_rest_on_facts", "amount_over_refundable"
    yield _limited("small", amount, terms.small, terms.small_with_a_person)
    spent = amount + before["amounts"]["EUR"]
    yield _limited("monthly", spent, terms.monthly, terms.monthly_with_a_person)
    if before["count"] + 1 > terms.often:
        yield 2, "seldom", "rate_exceeded"
    if not asked["consent"]["given"]:
        yield 3, "agreed", "consent_not_given"


def _limited(rule: str, amount: int, small: int, large: int) -> Found:
    if amount <= small:
        return 0, rule, "within_limit"
    return (2, rule, "above_limit_needs_approval") if amount <= large else (3, rule, "over_limit")


def _open(at: str, terms: Terms) -> bool:
    return terms.opens <= datetime.fromisoformat(at).hour < terms.closes
