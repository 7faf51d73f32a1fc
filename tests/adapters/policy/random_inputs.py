"""Random inputs of policy that lack anything and hold anything."""

import json
import random
from typing import Any

from tests.adapters.policy.deciding import TENANT, asked
from tests.adapters.policy.random_policies import ACTIONS

ODD: tuple[Any, ...] = (
    None, True, False, 0, -0.0, 1, -1, 0.5, 4999.5, 5000.0, 5e3, 1e308, 1e-300, 2**53 - 1, 2**53, 2**63,
    2**64, 10**30, -(2**70), "", "x", "refund", "refund_request", "5000", "EUR", "*", "2026-02-30T10:00:00Z",
    "2026-11-24", "2026-11-24T10:00:00", "9999-12-31T23:59:59Z", [], ["public"], [1], [["x"]], [None], {},
    {"minor_units": 1}, {"minor_units": "5000", "currency": "EUR"}, {"minor_units": 4999, "currency": None},
    {"id": "support_agent"}, "\u00df", "a\nb",
)  # fmt: skip


def an_input(dice: random.Random) -> dict[str, Any]:
    """Complete, or with up to four places changed or taken away."""
    document = _whole(dice)
    for _ in range(dice.choice((0, 0, 0, 0, 0, 1, 1, 2, 4))):
        _spoil(dice, document)
    return document


PLENTY = {"minor_units": 10**9, "currency": "EUR"}


def _money(dice: random.Random) -> dict[str, Any]:
    units = dice.choice((0, 1, 4999, 5000, 5001, 50000, 50001, -1, 2**53 - 1))
    return {"minor_units": units, "currency": dice.choice(("EUR", "EUR", "USD", "GBP"))}


def _whole(dice: random.Random) -> dict[str, Any]:
    action = dice.choice((*ACTIONS, *ACTIONS, "grant_credit", "launch"))
    given: dict[str, Any] = {
        "reason": dice.choice(("late", "broken", "late", "broken", "other")),
        "times": dice.choice((0, 1, 1, 2, 2, 3, 3, 4)),
        "amount": _money(dice),
        "urgent": True,
        "orders": ["a"] * dice.choice((0, 1, 1, 2, 2, 3)),
    }
    if dice.random() < 0.05:
        given["stranger"] = 1
    extras: dict[str, Any] = {
        "purpose": dice.choice(("support", "marketing")),
        "at": dice.choice(MOMENTS),
        "residency": {"model_region": "eu", "storage_region": dice.choice(("eu", "us"))},
        "counters": {
            f"{each}.{per}.3600": {
                "count": dice.randint(0, 4),
                "amounts": {"EUR": dice.choice((0, 1, 45000))},
            }
            for each in ACTIONS
            for per in ("tenant", "customer")
        },
        "requester_known": dice.choice((True, True, True, False)),
        "order": {
            "owner_is_requester": True,
            "delivered": dice.choice((True, True, True, False)),
            "total": dice.choice((_money(dice), PLENTY, PLENTY)),
            "refundable": dice.choice((_money(dice), PLENTY, PLENTY)),
        },
        "facts": {
            "order.delivered": dice.choice((True, False)),
            "paid": _money(dice),
            "tries": dice.randint(0, 4),
            "tier": "refund_request",
            "ids": dice.sample(["a", "b", "c"], dice.randint(0, 3)),
        },
    }
    document = asked(
        action,
        action={
            "amount": _money(dice),
            "band": dice.choice(("low", "high")),
            "zones": dice.sample(["public", "internal"], dice.randint(0, 2)),
            "resource_tenant_id": dice.choice((TENANT, "other")),
            "destination": dice.choice(("billing", "support")),
            "arguments": {word: value for word, value in given.items() if dice.random() < 0.9},
        },
        agent=_agent(dice),
        ticket={
            "turn": dice.randint(0, 4),
            "signals": dice.choice(([], [], ["injection"], ["identity_in_doubt", "thanks"])),
            "intent": dice.choice(("refund_request", "refund_1", "question")),
            "priority": dice.choice(("low", "high")),
        },
        mode=dice.choice(("automate", "automate", "assist")),
        channel=dice.choice(("public", "internal")),
    )
    return document | {word: value for word, value in extras.items() if dice.random() < 0.95}


MOMENTS = (
    "2026-11-24T10:00:00Z", "2026-11-24T05:30:00+00:00", "2026-11-28T10:00:00Z", "2026-11-25T00:30:00.5Z",
    "2026-03-29T01:30:00Z", "2026-10-25T00:30:00-04:00", "2026-11-27T23:30:00+01:00",
)  # fmt: skip


def _agent(dice: random.Random) -> dict[str, Any]:
    links = [
        {"id": "triage_agent", "permission_level": "execute"},
        {"id": "support_agent", "permission_level": dice.choice(("draft", "execute"))},
    ]
    if dice.random() < 0.75:
        return {"id": "support_agent", "permission_level": "execute", "chain": []}
    level = dice.choice(("read", "draft", "execute_with_approval", "execute"))
    chain = dice.choice(([], links[:1], links, [*links, links[0]]))
    name = dice.choice(("support_agent", "note_agent", "unknown_agent"))
    return {"id": name, "permission_level": level, "chain": chain}


def _spoil(dice: random.Random, document: dict[str, Any]) -> None:
    """Takes a value away, or puts an odd one in its place."""
    place, key = dice.choice([*_places(document)])
    if dice.random() < 0.4:
        del place[key]
    else:
        place[key] = json.loads(json.dumps(dice.choice(ODD)))


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *_places(value[key]))]
