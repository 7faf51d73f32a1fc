"""Tenants with nine rules each, no two alike, and what is proposed to them."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from adapters.policy.bundle import Bundle
from domain.decision import PolicyInput

CURRENCIES = ("EUR", "GBP", "USD")
OFFICE = ("private_note", "set_status", "add_tags", "slack_post")
REFUNDS_30D = "refund.customer.2592000"
DIGEST = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Terms:
    """What differs from tenant to tenant; limits in minor units of any currency."""

    small: int
    monthly: int
    often: int
    opens: int  # hour of the day in UTC, on any day
    closes: int

    @property
    def small_with_a_person(self) -> int:
        """Up to here somebody may approve."""
        return 10 * self.small

    @property
    def monthly_with_a_person(self) -> int:
        """The same for all that a customer gets in thirty days."""
        return 6 * self.monthly


def terms_of(number: int) -> Terms:
    """Of one tenant; the same on every run."""
    return Terms(
        small=2000 + 10 * number,
        monthly=6000 + 30 * number,
        often=2 + number % 3,
        opens=6 + number % 4,
        closes=16 + number % 5,
    )


def bundle_of(terms: Terms, name: str = "measured") -> Bundle:
    """Nine rules."""
    span = f"{terms.opens:02}:00-{terms.closes:02}:00"
    document = {
        "schema_version": 2,
        "name": name,
        "default": "deny",
        "approval": {"approver_groups": ["leads"]},
        "rules": _rules(terms, span),
    }
    return Bundle.model_validate_json(json.dumps(document))


def _rules(terms: Terms, span: str) -> Sequence[dict[str, Any]]:
    refund = {"when": {"actions": ["refund"]}}
    month = {"per": "customer", "within": "30d"}
    return [
        {"id": "office_work", "when": {"actions": [*OFFICE]}, "allow": True},
        {
            "id": "replies",
            "when": {"actions": ["reply"]},
            "allow": True,
            "require": [
                {
                    "condition": {"field": "action.zones", "subset_of": ["public", "internal"]},
                    "code": "zone_closed",
                }
            ],
        },
        {"id": "internal", "when": {"actions": ["reply"], "zones": ["internal"]}, "require_approval": {}},
        {
            "id": "open_hours",
            "when": {"actions": ["reply", "slack_post"], "channels": ["public"]},
            "hours": {"zone": "UTC", "open": {"daily": [span]}},
        },
        {
            "id": "small",
            **refund,
            "threshold": {
                "allow_up_to": _limits(terms.small),
                "approval_up_to": _limits(terms.small_with_a_person),
            },
        },
        {
            "id": "monthly",
            **refund,
            "threshold": {
                **month,
                "allow_up_to": _limits(terms.monthly),
                "approval_up_to": _limits(terms.monthly_with_a_person),
            },
        },
        {"id": "seldom", **refund, "rate": {**month, "at_most": terms.often, "above": "approval_needed"}},
        {"id": "agreed", **refund, "require": [{"fact": "consent.given", "code": "consent_not_given"}]},
        {
            "id": "cards",
            "when": {"condition": {"field": "ticket.intent", "matches": "refund_[a-z_]{1,40}"}},
            "redact_fields": ["card"],
        },
    ]


def _limits(minor_units: int) -> dict[str, str]:
    return dict.fromkeys(CURRENCIES, f"{minor_units // 100}.{minor_units % 100:02}")


def proposed(number: int, dice: random.Random) -> PolicyInput:
    """One proposal to a tenant: any action, limits and their neighbours, rarely something forbidden."""
    action = dice.choice(("refund", "refund", "reply", *OFFICE))
    terms = terms_of(number)
    document: dict[str, Any] = {
        "tenant_id": UUID(int=number),
        "ticket_id": UUID(int=7),
        "mode": "automate",
        "channel": dice.choice(("public", "internal")),
        "at": f"2026-11-{dice.randint(10, 28)}T{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:00Z",
        "purpose": "support",
        "identity": {"verified": True, "evidence": ["sender_is_requester"]},
        "consent": {"given": dice.random() < 0.9},
        "residency": {"model_region": "eu", "storage_region": "eu"},
        "counters": {
            REFUNDS_30D: {
                "count": dice.randint(0, 4),
                "amounts": {"EUR": dice.choice((0, terms.monthly - terms.small, terms.monthly))},
            }
        },
        "action": {"type": action, "band": "high" if action == "refund" else "low", "digest": DIGEST},
        "ticket": {
            "intent": dice.choice(("refund_of_an_order", "delivery_is_late")),
            "queue": "orders",
            "priority": "normal",
            "confidence_permille": 900,
            "owner": "automation",
            "turn": 1,
        },
        "requester_known": True,
    }
    if action == "reply":
        document["action"]["zones"] = dice.sample(("public", "internal"), dice.randint(1, 2))
    if action == "refund":
        document["action"]["amount"] = _amount(
            dice.choice((1, terms.small, terms.small + 1, 20 * terms.small))
        )
        document["order"] = {
            "status": "delivered",
            "owner_is_requester": True,
            "delivered": True,
            "total": _amount(10_000_000),
            "refundable": _amount(10_000_000),
        }
    return PolicyInput.model_validate(document)


def _amount(minor_units: int) -> dict[str, Any]:
    return {"minor_units": minor_units, "currency": "EUR"}
