"""Inputs at and beside what the random policies name, often with something missing or of another type."""

import random
from collections.abc import Iterator

from tests.adapters.policy.deciding import asked
from tests.adapters.policy.stricter_documents import LISTS, Document
from tests.adapters.policy.test_levels import an_input

TIMES = [
    *("2026-11-24T08:59:00Z", "2026-11-24T09:00:00Z", "2026-11-24T16:59:00Z", "2026-11-24T11:30:00Z"),
    *("2026-11-24T22:30:00Z", "2026-11-25T04:30:00Z", "2026-11-25T05:30:00Z", "2026-11-22T10:30:00Z"),
    *("2026-11-23T23:30:00Z", "2026-11-23T10:30:00Z", "2026-11-22T23:59:00Z"),
]


def inputs(dice: random.Random, number: int) -> Iterator[Document]:
    """At and beside what the changes name, often with something missing or of another type."""
    for _ in range(number):
        document = an_input(dice)
        if dice.random() < 0.6:
            document |= {word: value for word, value in asked().items() if word not in document}
        if "action" in document:
            _act(dice, document["action"])
        if isinstance(document.get("ticket"), dict) and dice.random() < 0.5:
            document["ticket"]["turn"] = dice.choice([0, 1, 2, 3, 4, 5, "one"])
        if dice.random() < 0.6:
            document["at"] = dice.choice(TIMES)
        if dice.random() < 0.3:
            document["purpose"] = dice.choice(LISTS["purpose"])
        if dice.random() < 0.5:
            document["counters"] = _counters(dice)
        if dice.random() < 0.4:
            document["agent"] = _agent(dice)
        yield document


def _act(dice: random.Random, action: Document) -> None:
    if dice.random() < 0.5:
        action["type"] = dice.choice(["reply", "grant_credit"])
    if dice.random() < 0.6:
        near = [1, 1999, 2000, 2001, 3999, 4000, 4001, 4999, 5000, 5001, 6000, 49999, 50000, 50001]
        action["amount"] = {"minor_units": dice.choice(near), "currency": dice.choice(["EUR", "EUR", "USD"])}
    if dice.random() < 0.3:
        action["destination"] = dice.choice(["desk", "other"])
    if dice.random() < 0.5:
        given = {
            "reason": dice.choice(["late", "damaged", "bored"]),
            "count": dice.randint(0, 4),
            "notify": dice.choice([True, "yes"]),
        }
        action["arguments"] = dict(dice.sample([*given.items()], dice.randint(1, 3)))


def _counters(dice: random.Random) -> Document:
    return {
        f"{action}.{per}.3600": {
            "count": dice.randint(0, 4),
            "amounts": {"EUR": dice.choice([0, 1, 3000, 45000])},
        }
        for action in ("reply", "grant_credit", "set_status", "private_note")
        for per in ("tenant", "customer")
        if dice.random() < 0.8
    }


def _agent(dice: random.Random) -> Document:
    level = dice.choice(["execute", "execute", "execute_with_approval", "draft"])
    chain = [{"id": "lead", "permission_level": dice.choice(["execute", "execute", "draft"])}]
    return {
        "id": dice.choice(["support_agent", "support_agent", "lead"]),
        "permission_level": level,
        "chain": dice.choice([[], chain]),
    }
